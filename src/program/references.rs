//! What refers to what: a graph of the objects that one function has in its hands, and of the references it makes.
//!
//! A cycle of types is no cycle of objects: every linked list has a class that refers to itself. So the graph's nodes
//! are objects as a function knows them (its parameters, what it makes, what their attributes are), and a reference
//! is drawn only where that very object is stored. What a callee does with its arguments is drawn into the caller's
//! graph with the caller's objects, the way infer's summaries are instantiated; nothing else crosses functions, and
//! both depth and size are bounded, so that the work grows with the functions that are asked about.
//!
//! Weak references are drawn as well, because a rule may want to show that there is one.

mod attributes;
pub mod captures;
pub mod definitions;
pub mod own;
mod release;
mod trace;

use std::sync::{Arc, PoisonError, RwLock};

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

pub(super) use attributes::is_data_class;

use super::types::Type;
use super::{ClassRef, EventRef, FunctionRef, ModuleId, Program, ScopeRef};
use crate::facts::{EventKind, Expr, ExprId, FileFacts, NOTHING};
use crate::source::{Name, NameSet};

/// An object, as an index into [`ObjectGraph::objects`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId(u32);

/// How a function knows an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// What a parameter is given; the receiver of a method is its first.
    Parameter(Name),
    /// A variable of an enclosing function.
    Enclosing(ScopeRef, Name),
    /// The instance that a call makes.
    Made(EventRef),
    /// The list, dict or set that a local variable is bound to.
    Container(EventRef),
    /// The value of an attribute.
    Attribute(ObjectId, Name),
    /// One of the items of the container in an attribute.
    Item(ObjectId, Name),
    /// An object of a callee, by the call and the callee's own number for it.
    Inner(EventRef, ObjectId),
}

#[derive(Clone, Copy, Debug)]
pub struct Object {
    pub origin: Origin,
    /// The class as far as it is known; the object may be of a subclass.
    pub class: Option<ClassRef>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Strength {
    Weak,
    Strong,
}

/// In what form the object is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    Itself,
    /// In a container made on the spot.
    Item,
    BoundMethod,
    /// By a nested function or lambda.
    Captured,
    /// By a partial or another wrapper.
    Argument,
}

/// One object refers to another through an attribute.
#[derive(Clone, Copy, Debug)]
pub struct Reference {
    pub from: ObjectId,
    pub to: ObjectId,
    /// The attribute that holds it; `None` for the items of a local container.
    pub via: Option<Name>,
    /// It is in the container that the attribute holds.
    pub is_item: bool,
    pub form: Form,
    pub strength: Strength,
    /// Where the object is stored before your eyes; `None` where its being there is concluded from its being read from
    /// there. What puts it there then is only asked of the few references that matter: [`Program::maker_of`].
    pub event: Option<EventRef>,
    /// The classes of both ends and the kind of the container are known.
    pub is_certain: bool,
    /// The call whose callee makes it, where this function does not itself.
    pub through: Option<EventRef>,
}

/// The objects a function knows and the references between them.
#[derive(Clone, Debug, Default)]
pub struct ObjectGraph {
    pub objects: Vec<Object>,
    pub references: Vec<Reference>,
    /// What the function returns.
    returns: Vec<Handle>,
    /// Calls of methods on objects whose class only the caller may know.
    deferred: Vec<Deferred>,
    /// How many calls deep it looks into callees.
    depth: u8,
    /// A callee was left out because it was too deep.
    is_cut: bool,
}

/// A value that keeps an object, or at least leads to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Handle {
    object: ObjectId,
    form: Form,
    strength: Strength,
}

#[derive(Clone, Debug)]
struct Deferred {
    receiver: ObjectId,
    method: Name,
    arguments: Arguments,
    event: EventRef,
}

/// What a call hands over, evaluated; parameters get theirs by position or keyword as in Python.
#[derive(Clone, Debug, Default)]
struct Arguments {
    positional: Vec<Vec<Handle>>,
    keywords: Vec<(Name, Vec<Handle>)>,
}

impl ObjectGraph {
    pub fn object(&self, id: ObjectId) -> &Object {
        &self.objects[id.0 as usize]
    }

    pub fn object_ids(&self) -> impl Iterator<Item = ObjectId> + use<> {
        (0..self.objects.len() as u32).map(ObjectId)
    }

    /// The shortest way from an object back to itself over references that hold, as indexes of references.
    ///
    /// A way that one callee makes alone is left to that callee's own graph.
    pub fn cycle_through(&self, start: ObjectId, holds: &mut dyn FnMut(&Reference) -> bool) -> Option<Vec<usize>> {
        let mut outgoing: FxHashMap<ObjectId, Vec<usize>> = FxHashMap::default();
        for (index, reference) in self.references.iter().enumerate() {
            if reference.strength == Strength::Strong {
                outgoing.entry(reference.from).or_default().push(index);
            }
        }
        let mut reached: FxHashSet<ObjectId> = FxHashSet::default();
        let mut front = vec![(start, Vec::new())];
        for _ in 0..LONGEST {
            let mut next = Vec::new();
            for (object, path) in front {
                for index in outgoing.get(&object).into_iter().flatten() {
                    let reference = &self.references[*index];
                    let is_new = reference.to == start || !reached.contains(&reference.to);
                    if !is_new || !holds(reference) {
                        continue;
                    }
                    let mut path: Vec<usize> = path.clone();
                    path.push(*index);
                    if reference.to != start {
                        reached.insert(reference.to);
                        next.push((reference.to, path));
                    } else if !self.is_within_one_call(&path) {
                        return Some(path);
                    }
                }
            }
            front = next;
        }
        None
    }

    fn is_within_one_call(&self, path: &[usize]) -> bool {
        let mut through = path.iter().map(|index| self.references[*index].through);
        let first = through.next().flatten();
        first.is_some() && through.all(|call| call == first)
    }
}

/// The longest cycle that a reader could still follow.
const LONGEST: usize = 6;

/// How many calls deep a function's graph looks into its callees.
const CALLS: u8 = 3;

/// The most functions that are asked about one class.
const MOST_FUNCTIONS: usize = 96;

/// A class as far as it is known, an attribute, and whether the items of the container in it are meant.
type Kept = (Option<ClassRef>, Name, bool);

/// Graphs that were asked for. A graph depends on nothing but the program, so it does not matter who computes it.
#[derive(Default)]
pub struct References {
    /// Functions by the classes that their parameters are annotated with, sorted.
    annotated: Vec<(Name, FunctionRef)>,
    graphs: RwLock<FxHashMap<FunctionRef, Graphs>>,
    /// The classes of what is in attributes.
    classes: RwLock<FxHashMap<(ClassRef, Name), Option<ClassRef>>>,
    contents: RwLock<FxHashMap<(ClassRef, Name), attributes::Contents>>,
    /// Whether something that runs gives up what a class holds in an attribute, or in the container there.
    released: RwLock<FxHashMap<Kept, bool>>,
}

/// What is known of one function.
#[derive(Default)]
struct Graphs {
    /// The graph that is the same however deep it may look, from its own depth on.
    whole: Option<Arc<ObjectGraph>>,
    /// Others, by how deep they may look.
    cut: [Option<Arc<ObjectGraph>>; CALLS as usize + 1],
}

impl Program<'_> {
    /// The variables of enclosing functions that a nested function or lambda keeps.
    pub(super) fn captures(&self, function: FunctionRef) -> Vec<(ScopeRef, Name)> {
        captures::captured(self, function).into_iter().map(|capture| (capture.holder, capture.name)).collect()
    }

    /// The same with the place where each is first used.
    pub(super) fn capture_list(&self, function: FunctionRef) -> Vec<captures::Capture> {
        captures::captured(self, function)
    }

    /// The objects and references of a function, those that its callees make with its objects included.
    pub fn object_graph(&self, function: FunctionRef) -> Arc<ObjectGraph> {
        self.object_graph_within(function, CALLS)
    }

    /// What makes a reference; `None` where what is read from an attribute is not known to be kept there.
    pub fn maker_of(&self, graph: &ObjectGraph, reference: &Reference) -> Option<EventRef> {
        reference.event.or_else(|| {
            let (class, via) = (graph.object(reference.from).class?, reference.via?);
            if reference.is_item { attributes::growth_of(self, class, via) } else { self.contents(class, via).store }
        })
    }

    fn object_graph_within(&self, function: FunctionRef, calls: u8) -> Arc<ObjectGraph> {
        let known = || {
            let graphs = self.references.graphs.read().unwrap_or_else(PoisonError::into_inner);
            let Graphs { whole, cut } = graphs.get(&function)?;
            whole.as_ref().filter(|graph| graph.depth <= calls).or(cut[calls as usize].as_ref()).cloned()
        };
        known().unwrap_or_else(|| {
            let graph = Arc::new(trace::trace(self, function, calls));
            let mut graphs = self.references.graphs.write().unwrap_or_else(PoisonError::into_inner);
            let Graphs { whole, cut } = graphs.entry(function).or_default();
            let place = if graph.is_cut { &mut cut[calls as usize] } else { whole };
            *place = Some(graph.clone());
            graph
        })
    }

    /// The functions that have instances of a class in their hands: its methods, those that make instances, and
    /// the other methods of classes whose methods do.
    pub fn functions_handling(&self, class: ClassRef) -> Vec<FunctionRef> {
        let mut found = FunctionList::default();
        for ancestor in self.mro(class) {
            self.add_methods(*ancestor, &mut found);
        }
        let mut makers: Vec<FunctionRef> =
            self.instantiations(class).iter().filter_map(|site| self.event_function(site.event)).collect();
        makers.extend(self.functions_taking(class));
        for _ in 0..3 {
            let mut callers = Vec::new();
            for maker in makers {
                if !found.add(maker) {
                    continue;
                }
                if let Some(owner) = self.class_of_method(self.outermost_function(maker)) {
                    self.add_methods(owner, &mut found);
                }
                let hands_on = self.function(maker).name == self.words.init
                    || self.returns_something(maker) && !self.object_graph_within(maker, 1).returns.is_empty();
                if hands_on && found.list.len() < MOST_FUNCTIONS {
                    let sites = self.callers(maker);
                    let sites = sites.iter().filter(|site| site.is_certain);
                    callers.extend(sites.filter_map(|site| self.event_function(site.event)));
                }
            }
            makers = callers;
        }
        found.list
    }

    /// Whether a function returns anything but nothing: that is known sooner than what it is.
    fn returns_something(&self, function: FunctionRef) -> bool {
        let facts = self.facts(function.module);
        let mut events = facts.scope_events(self.function(function).scope);
        events.any(|(_, event)| matches!(event.kind, EventKind::Return(value) if value != NOTHING))
    }

    fn add_methods(&self, class: ClassRef, found: &mut FunctionList) {
        for method in self.own_methods(class) {
            if found.add(method) {
                self.nested_functions(method).for_each(|nested| {
                    found.add(nested);
                });
            }
        }
    }

    pub(super) fn nested_functions(&self, function: FunctionRef) -> impl Iterator<Item = FunctionRef> {
        let span = self.function(function).span;
        let all = self.facts(function.module).functions.iter().enumerate().skip(function.id.index() + 1);
        let inside = all.filter(move |(_, other)| span.contains(other.span));
        inside.map(move |(number, _)| FunctionRef::new(function.module, crate::facts::FunctionId(number as u32)))
    }

    /// The function or method at the top of those that stand in each other.
    pub fn outermost_function(&self, function: FunctionRef) -> FunctionRef {
        let mut outermost = function;
        while let Some(outer) = self.enclosing_function(self.defining_scope(outermost)) {
            outermost = outer;
        }
        outermost
    }

    /// Functions with a parameter that is annotated as the class.
    fn functions_taking(&self, class: ClassRef) -> impl Iterator<Item = FunctionRef> {
        let name = self.class(class).name;
        let annotated = &self.references.annotated;
        let start = annotated.partition_point(|(word, _)| *word < name);
        let named = annotated[start..].iter().take_while(move |(word, _)| *word == name);
        named.map(|(_, function)| *function).filter(move |function| {
            let facts = self.facts(function.module);
            let scope = self.defining_scope(*function);
            facts
                .parameters(self.function(*function))
                .iter()
                .any(|parameter| self.type_of_annotation(scope.expr(parameter.annotation), 6) == Type::Instance(class))
        })
    }
}

/// The functions of a module by the classes of the program that their parameters are annotated with.
pub(super) fn annotated_functions(program: &Program, module: ModuleId, classes: &NameSet) -> Vec<(Name, FunctionRef)> {
    let facts = program.facts(module);
    let mut found = Vec::new();
    for function in program.functions_of(module) {
        for parameter in facts.parameters(facts.function(function.id)) {
            if parameter.annotation != NOTHING {
                each_named(facts, parameter.annotation, &mut |word| {
                    if classes.contains(word) {
                        found.push((word, function));
                    }
                });
            }
        }
    }
    found
}

impl References {
    /// Of the annotated functions of all modules.
    pub(super) fn of(annotated: Vec<Vec<(Name, FunctionRef)>>) -> References {
        let mut annotated: Vec<(Name, FunctionRef)> = annotated.into_iter().flatten().collect();
        annotated.par_sort_unstable();
        annotated.dedup();
        References { annotated, ..References::default() }
    }
}

/// The last words of the types that an annotation names: `X` of `Optional[module.X]`.
fn each_named(facts: &FileFacts, annotation: ExprId, take: &mut dyn FnMut(Name)) {
    match facts.expr(annotation) {
        Expr::Name(name) | Expr::Attribute(_, name) => take(name),
        Expr::Subscript(_, inner) => each_named(facts, inner, take),
        Expr::Binary(_, left, right) => {
            each_named(facts, left, take);
            each_named(facts, right, take);
        }
        Expr::Display(_, run) => facts.list(run).iter().for_each(|part| each_named(facts, *part, take)),
        _ => {}
    }
}

#[derive(Default)]
struct FunctionList {
    list: Vec<FunctionRef>,
    known: FxHashSet<FunctionRef>,
}

impl FunctionList {
    fn add(&mut self, function: FunctionRef) -> bool {
        if self.list.len() >= MOST_FUNCTIONS || !self.known.insert(function) {
            return false;
        }
        self.list.push(function);
        true
    }
}
