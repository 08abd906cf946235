//! A callee's graph, drawn into its caller's: parameters become what they are given, the rest becomes new objects.

use std::sync::Arc;

use super::{MOST_HANDLES, Role, Slot, Target, Tracer, plain};
use crate::facts::ParameterKind;
use crate::program::EventRef;
use crate::program::references::{Arguments, Form, Handle, ObjectGraph, ObjectId, Origin};
use crate::source::Name;

impl Tracer<'_> {
    /// Draws what a callee does with the objects it is handed, and gives what it returns.
    pub(super) fn inline(
        &mut self,
        target: &Target,
        arguments: &Arguments,
        event: EventRef,
        is_call: bool,
    ) -> Vec<Handle> {
        let Some(calls) = self.calls.checked_sub(1) else {
            self.graph.is_cut = true;
            return Vec::new();
        };
        let graph = self.program.object_graph_within(target.function, calls);
        self.looked(1 + graph.depth);
        self.graph.is_cut |= graph.is_cut;
        if graph.references.is_empty() && graph.returns.is_empty() && graph.deferred.is_empty() {
            return Vec::new();
        }
        let given = self.bind_parameters(target, arguments);
        // Nothing of it can touch what is here.
        let is_enclosed = || graph.objects.iter().any(|object| matches!(object.origin, Origin::Enclosing(..)));
        if given.is_empty() && graph.returns.is_empty() && graph.deferred.is_empty() && !is_enclosed() {
            return Vec::new();
        }
        let around = self.through;
        if is_call {
            self.through = self.through.or(Some(event));
        }
        let known = vec![None; graph.objects.len()];
        let results = Inlining { tracer: self, graph, given, event, known }.run();
        self.through = around;
        results
    }

    /// Notes that what is drawn depends on looking this much deeper.
    fn looked(&mut self, deeper: u8) {
        self.graph.depth = self.graph.depth.max(self.granted - self.calls + deeper);
    }

    /// What each parameter of the callee is given, without those that are given no object.
    fn bind_parameters(&self, target: &Target, arguments: &Arguments) -> Vec<(Name, Vec<Handle>)> {
        let facts = self.program.facts(target.function.module);
        let mut given: Vec<(Name, Vec<Handle>)> = Vec::new();
        let receiver = target.receiver.iter();
        let mut positional = receiver.chain(&arguments.positional);
        for parameter in facts.parameters(facts.function(target.function.id)) {
            match parameter.kind {
                ParameterKind::PositionalOnly | ParameterKind::Positional => {
                    if let Some(handles) = positional.next().filter(|handles| !handles.is_empty()) {
                        given.push((parameter.name, handles.clone()));
                    }
                }
                _ => break,
            }
        }
        for (name, handles) in &arguments.keywords {
            if !handles.is_empty() && given.iter().all(|(known, _)| known != name) {
                given.push((*name, handles.clone()));
            }
        }
        given
    }
}

/// One callee's graph on its way into a caller's.
struct Inlining<'t, 'p> {
    tracer: &'t mut Tracer<'p>,
    graph: Arc<ObjectGraph>,
    given: Vec<(Name, Vec<Handle>)>,
    event: EventRef,
    /// What the callee's objects are to the caller, as far as it was asked.
    known: Vec<Option<Vec<Handle>>>,
}

impl Inlining<'_, '_> {
    fn run(mut self) -> Vec<Handle> {
        let graph = self.graph.clone();
        let reachable = self.touched();
        for reference in &graph.references {
            // What is concluded from reading an attribute is concluded again, for the caller's objects.
            let Some(event) = reference.event.filter(|_| reachable[reference.from.0 as usize]) else { continue };
            let holders = self.handles(reference.from);
            let held = self.handles(reference.to);
            let role = if reference.is_item { Role::Item } else { Role::Attribute };
            for holder in holders.iter().filter(|holder| holder.form == Form::Itself) {
                for handle in &held {
                    let handle = Handle {
                        object: handle.object,
                        form: if reference.form == Form::Itself { handle.form } else { reference.form },
                        strength: handle.strength.min(reference.strength),
                    };
                    let slot = Slot { holder: holder.object, via: reference.via };
                    self.tracer.refer(slot, role, handle, event);
                }
            }
        }
        for deferred in &graph.deferred {
            let arguments = Arguments {
                positional: deferred.arguments.positional.iter().map(|handles| self.mapped(handles)).collect(),
                keywords: deferred.arguments.keywords.iter().map(|(n, handles)| (*n, self.mapped(handles))).collect(),
            };
            for receiver in self.handles(deferred.receiver) {
                if receiver.form != Form::Itself {
                    continue;
                }
                if self.tracer.calls == 0 {
                    self.tracer.graph.is_cut = true;
                } else if let Some(called) = self.tracer.called(receiver.object, deferred.method) {
                    self.tracer.looked(1);
                    // One call less, so that two methods that call each other come to an end. The callee could not see
                    // what it does, so it counts as done here.
                    self.tracer.calls -= 1;
                    let around = self.tracer.through.take();
                    self.tracer.call_method(receiver, deferred.method, called, &arguments, deferred.event);
                    self.tracer.through = around;
                    self.tracer.calls += 1;
                }
            }
        }
        self.mapped(&graph.returns)
    }

    /// The callee's objects that hang together with what it was handed or what it returns.
    fn touched(&mut self) -> Vec<bool> {
        let graph = self.graph.clone();
        let mut touched = vec![false; graph.objects.len()];
        for (index, object) in graph.objects.iter().enumerate() {
            touched[index] = match object.origin {
                Origin::Parameter(name) => self.given.iter().any(|(given, _)| *given == name),
                Origin::Enclosing(..) => true,
                Origin::Attribute(base, _) | Origin::Item(base, _) => touched[base.0 as usize],
                _ => false,
            };
        }
        graph.returns.iter().for_each(|handle| touched[handle.object.0 as usize] = true);
        for _ in 0..4 {
            for reference in &graph.references {
                let (from, to) = (reference.from.0 as usize, reference.to.0 as usize);
                let either = touched[from] || touched[to];
                (touched[from], touched[to]) = (either, either);
            }
        }
        touched
    }

    fn mapped(&mut self, handles: &[Handle]) -> Vec<Handle> {
        let mut mapped = Vec::new();
        for handle in handles {
            for object in self.handles(handle.object) {
                mapped.push(Handle {
                    object: object.object,
                    form: if handle.form == Form::Itself { object.form } else { handle.form },
                    strength: handle.strength.min(object.strength),
                });
            }
        }
        mapped.truncate(MOST_HANDLES);
        mapped
    }

    /// What a callee's object is to the caller.
    fn handles(&mut self, id: ObjectId) -> Vec<Handle> {
        if let Some(known) = &self.known[id.0 as usize] {
            return known.clone();
        }
        let object = *self.graph.object(id);
        let handles = match object.origin {
            Origin::Parameter(name) => {
                let mut given = self.given.iter();
                given.find(|(given, _)| *given == name).map(|(_, handles)| handles.clone()).unwrap_or_default()
            }
            Origin::Enclosing(..) => vec![plain(self.tracer.intern(object.origin, object.class))],
            Origin::Attribute(base, name) | Origin::Item(base, name) => {
                let is_item = matches!(object.origin, Origin::Item(..));
                let mut handles = Vec::new();
                for holder in self.handles(base).into_iter().filter(|holder| holder.form == Form::Itself) {
                    let class = self.tracer.graph.object(holder.object).class;
                    let held = match class.filter(|_| !is_item) {
                        Some(class) => self.tracer.program.class_in(class, name).or(object.class),
                        None => object.class,
                    };
                    let origin = match object.origin {
                        Origin::Item(..) => Origin::Item(holder.object, name),
                        _ => Origin::Attribute(holder.object, name),
                    };
                    handles.push(Handle { object: self.tracer.intern(origin, held), ..holder });
                }
                handles
            }
            Origin::Made(_) | Origin::Container(_) | Origin::Inner(..) => {
                vec![plain(self.tracer.intern(Origin::Inner(self.event, id), object.class))]
            }
        };
        self.known[id.0 as usize] = Some(handles.clone());
        handles
    }
}
