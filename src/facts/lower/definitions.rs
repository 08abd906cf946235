//! Functions, lambdas and classes: what is evaluated where they stand, and their bodies.

use ruff_python_ast as ast;
use ruff_text_size::{Ranged, TextLen, TextRange};

use super::{Bodies, Body, Lowering, Waiting, run, span};
use crate::facts::{
    Class, ClassId, EventKind, Expr, ExprId, Function, FunctionId, NOTHING, Parameter, ParameterKind, Run, ScopeKind,
};

const LAMBDA: &str = "<lambda>";
const LAMBDA_KEYWORD: &str = "lambda";

impl<'a> Lowering<'a> {
    pub(super) fn function_definition(&mut self, node: &'a ast::StmtFunctionDef) {
        let decorators = self.decorators(&node.decorator_list);
        let parameters = self.parameters(&node.parameters);
        let returns = node.returns.as_deref().map_or(NOTHING, |returns| self.annotation(returns));
        let id = FunctionId(self.tables.functions.len() as u32);
        let scope = self.declare_scope(ScopeKind::Function(id));
        let name = self.name(&node.name);
        self.tables.functions.push(Function {
            name,
            scope,
            context: self.context,
            name_span: span(&node.name),
            span: span(node),
            parameters,
            decorators,
            returns,
            is_async: node.is_async,
            is_generator: false,
        });
        self.waiting.push_back(Waiting {
            function: id,
            body: Body::Statements { type_parameters: node.type_params.as_deref(), body: &node.body },
        });
        self.bind_name(name);
        self.emit(EventKind::Define(id), &node.name);
    }

    pub(super) fn lambda(&mut self, node: &'a ast::ExprLambda) -> ExprId {
        let parameters = node.parameters.as_deref().map_or(Run::default(), |parameters| self.parameters(parameters));
        let id = FunctionId(self.tables.functions.len() as u32);
        let scope = self.declare_scope(ScopeKind::Lambda(id));
        let name = self.name(LAMBDA);
        self.tables.functions.push(Function {
            name,
            scope,
            context: self.context,
            name_span: span(TextRange::at(node.start(), LAMBDA_KEYWORD.text_len())),
            span: span(node),
            parameters,
            decorators: Run::default(),
            returns: NOTHING,
            is_async: false,
            is_generator: false,
        });
        self.waiting.push_back(Waiting { function: id, body: Body::Expression(&node.body) });
        self.own(Expr::Lambda(id))
    }

    pub(super) fn function_body(&mut self, waiting: Waiting<'a>, bodies: Bodies) {
        let scope = self.tables.functions[waiting.function.index()].scope;
        let place = match &waiting.body {
            Body::Statements { body, .. } => whole(body),
            Body::Expression(body) => body.range(),
        };
        self.enter_scope(scope, None, place);
        for index in self.tables.functions[waiting.function.index()].parameters.range() {
            self.bind_name(self.tables.parameters[index].name);
        }
        match waiting.body {
            _ if bodies == Bodies::LeftOut => {}
            Body::Statements { type_parameters, body } => {
                for parameter in type_parameters.into_iter().flat_map(|parameters| parameters.iter()) {
                    let name = self.name(parameter.name());
                    self.bind_name(name);
                }
                self.statements(body);
            }
            Body::Expression(body) => {
                let value = self.expr(body);
                self.emit(EventKind::Return(value), body);
            }
        }
        self.leave_scope();
    }

    pub(super) fn class_definition(&mut self, node: &'a ast::StmtClassDef) {
        let decorators = self.decorators(&node.decorator_list);
        let mut bases = Run::default();
        let mut keywords = Run::default();
        if let Some(arguments) = node.arguments.as_deref() {
            let mark = self.gathered.len();
            for base in &arguments.args {
                let base = self.base(base);
                self.gathered.push(base);
            }
            bases = self.gathered_list(mark);
            keywords = self.keyword_arguments(&arguments.keywords);
        }
        let id = ClassId(self.tables.classes.len() as u32);
        let scope = self.declare_scope(ScopeKind::Class(id));
        let name = self.name(&node.name);
        self.tables.classes.push(Class {
            name,
            scope,
            context: self.context,
            name_span: span(&node.name),
            span: span(node),
            bases,
            keywords,
            decorators,
        });
        self.enter_scope(scope, Some(self.context), whole(&node.body));
        self.statements(&node.body);
        self.leave_scope();
        self.bind_name(name);
        self.emit(EventKind::DefineClass(id), &node.name);
    }

    /// `Generic[T]` names a type; no item is read.
    fn base(&mut self, node: &'a ast::Expr) -> ExprId {
        match node {
            ast::Expr::Subscript(_) => self.annotation(node),
            _ => self.expr(node),
        }
    }

    fn decorators(&mut self, decorators: &'a [ast::Decorator]) -> Run {
        let mark = self.gathered.len();
        for decorator in decorators {
            let decorator = self.expr(&decorator.expression);
            self.gathered.push(decorator);
        }
        self.gathered_list(mark)
    }

    fn parameters(&mut self, parameters: &'a ast::Parameters) -> Run {
        if parameters.is_empty() {
            return Run::default();
        }
        // Defaults first, because a lambda in one has parameters of its own.
        let mark = self.gathered.len();
        for parameter in parameters.iter_non_variadic_params() {
            let default = parameter.default.as_deref().map_or(NOTHING, |default| self.expr(default));
            self.gathered.push(default);
        }
        let start = self.tables.parameters.len();
        let mut next = mark;
        for (kind, list) in [
            (ParameterKind::PositionalOnly, &parameters.posonlyargs),
            (ParameterKind::Positional, &parameters.args),
            (ParameterKind::KeywordOnly, &parameters.kwonlyargs),
        ] {
            if kind == ParameterKind::KeywordOnly
                && let Some(rest) = &parameters.vararg
            {
                self.parameter(ParameterKind::Rest, rest, NOTHING);
            }
            for parameter in list {
                let default = self.gathered[next];
                next += 1;
                self.parameter(kind, &parameter.parameter, default);
            }
        }
        if let Some(rest) = &parameters.kwarg {
            self.parameter(ParameterKind::Keywords, rest, NOTHING);
        }
        self.gathered.truncate(mark);
        run(start, self.tables.parameters.len())
    }

    fn parameter(&mut self, kind: ParameterKind, node: &'a ast::Parameter, default: ExprId) {
        let name = self.name(&node.name);
        let annotation = node.annotation.as_deref().map_or(NOTHING, |annotation| self.annotation(annotation));
        self.tables.parameters.push(Parameter { name, kind, annotation, default, span: span(node) });
    }
}

fn whole(body: &[ast::Stmt]) -> TextRange {
    match body {
        [] => TextRange::default(),
        [first, .., last] => TextRange::new(first.start(), last.end()),
        [only] => only.range(),
    }
}
