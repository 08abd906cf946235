//! Objects that are made anew as a whole, which empties whatever they hold.

use super::*;

/// How many classes are looked through for one that remakes its objects.
const MOST_RELATIVES: usize = 256;

impl Program<'_> {
    /// Whether a method of the owner, of a base or of a class derived from it runs the constructor again or gives the
    /// object another `__dict__`, and somebody may call it while the object lives.
    pub(in super::super) fn is_remade(&self, owner: ClassRef) -> bool {
        // What a mixin holds is emptied by the other bases of the class that it is mixed into.
        let family = std::iter::once(&owner).chain(self.subclasses(owner)).flat_map(|class| self.mro(*class));
        family.take(MOST_RELATIVES).any(|class| {
            let module = self.module(class.module);
            (module.may_name(self.words.init) || module.may_name(self.words.dict))
                && self.own_methods(*class).any(|method| self.remakes(method) && self.is_run_in_life(method))
        })
    }

    fn remakes(&self, method: FunctionRef) -> bool {
        let name = self.function(method).name.as_str();
        // `__init__`, `__setstate__` and their kin make the object in the first place.
        if name.starts_with("__") && name.ends_with("__") {
            return false;
        }
        let Some(receiver) = self.receiver(method).filter(|receiver| !receiver.is_class) else { return false };
        let facts = self.facts(method.module);
        let is_part = |expr: ExprId, part: Name| {
            matches!(facts.expr(expr), Expr::Attribute(base, name)
                if name == part && facts.expr(base) == Expr::Name(receiver.name))
        };
        facts.scope_events(self.function(method).scope).any(|(_, event)| match event.kind {
            EventKind::Bind { target, .. } => is_part(target, self.words.dict),
            EventKind::Call(call) => {
                let callee = facts.call(call).callee;
                is_part(callee, self.words.init)
                    || matches!(facts.expr(callee), Expr::Attribute(dict, method)
                        if method.as_str() == "clear" && is_part(dict, self.words.dict))
            }
            _ => false,
        })
    }

    /// Neither the object's end nor what nobody can call.
    fn is_run_in_life(&self, method: FunctionRef) -> bool {
        let name = self.function(method).name.as_str();
        let is_public = !name.starts_with('_');
        let callers = self.callers(method);
        let mut outside = callers.iter().filter(|site| !self.is_test(site.module)).peekable();
        let is_called_in_life = match outside.peek() {
            None => is_public,
            Some(_) => outside.any(|site| {
                self.event_function(site.event).is_none_or(|caller| {
                    let name = self.function(caller).name.as_str();
                    !vocabulary::is_making_name(name) && !vocabulary::is_ending_name(name)
                })
            }),
        };
        !vocabulary::is_ending_name(name) && !self.is_test(method.module) && is_called_in_life
    }

    /// The growth is reached through a function that empties the place first: `self.reset_x()`, then what fills it.
    pub(super) fn is_filled_afresh(&self, place: Place, touches: &[Touch], growth: &Growth) -> bool {
        let empties: Vec<FunctionRef> = (self.removals(place, touches).into_iter())
            .filter(|touch| {
                matches!(touch.operation.kind, OperationKind::Clear | OperationKind::Rebind)
                    && touch.operation.level == 0
                    && !self.is_making(place, touch.event())
                    && !self.is_made_if_missing(place, touch.event())
            })
            .filter_map(|touch| self.event_function(touch.event()))
            .filter(|function| !vocabulary::is_making_name(self.function(*function).name.as_str()))
            .collect();
        let path = &growth.repetition.path;
        !empties.is_empty()
            && path.iter().any(|function| {
                empties.contains(function) || empties.iter().any(|emptying| self.runs_first(*function, *emptying, path))
            })
    }

    /// Whether a function calls another before what of the path it calls, wherever it comes to that.
    fn runs_first(&self, function: FunctionRef, first: FunctionRef, path: &[FunctionRef]) -> bool {
        let facts = self.facts(function.module);
        let scope = self.function_scope(function);
        let mut calls = facts.scope_events(scope.id).filter_map(|(_, event)| match event.kind {
            EventKind::Call(call) => Some((event.context, self.callee(scope, call)?)),
            _ => None,
        });
        let Some((emptied, _)) = calls.find(|(_, callee)| *callee == first) else { return false };
        let emptied = facts.context(emptied);
        calls.find(|(_, callee)| path.contains(callee) && *callee != function).is_some_and(|(filled, _)| {
            std::iter::once(facts.context(filled))
                .chain(facts.contexts_around(filled))
                .any(|around| std::ptr::eq(around, emptied))
        })
    }

    /// Every call of the function that adds stands behind a test of the very container, one call up: `if PATCHED:
    /// return`, `if len(PATCHED) > 0: return`.
    pub(super) fn is_guarded_by_callers(&self, place: Place, level: u8, event: EventRef) -> bool {
        let Some(function) = self.event_function(event).map(|inner| self.outermost_function(inner)) else {
            return false;
        };
        let callers = self.callers(function);
        let mut outside = callers.iter().filter(|site| !self.is_test(site.module)).peekable();
        outside.peek().is_some()
            && outside.all(|site| {
                site.is_certain
                    && (self.is_length_guarded(place, level, site.event) || self.is_lazily_filled(place, site.event))
            })
    }

    /// A public method that nobody calls fills a container which one method reads together with another, and that
    /// other is filled by decorators: both declare what the object is to do, once each.
    pub(super) fn is_beside_decorators(&self, place: Place, growth: &Growth) -> bool {
        let Place::Instance(owner, _) = place else { return false };
        let declares = |sibling: Place, event: EventRef| {
            let Place::Instance(class, _) = sibling else { return false };
            let function = self.event_function(event);
            class == owner && sibling != place && function.is_some_and(|inner| self.returns_parameter_or_wrapper(inner))
        };
        let siblings: Vec<Place> = (self.operations.in_module(owner.module))
            .filter(|operation| operation.kind.is_growth() && declares(operation.place, operation.event))
            .map(|operation| operation.place)
            .collect();
        growth.repetition.is_surface
            && !siblings.is_empty()
            && self.own_methods(owner).any(|method| {
                self.goes_through(method, place) && siblings.iter().any(|sibling| self.goes_through(method, *sibling))
            })
    }
}
