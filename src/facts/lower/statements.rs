//! Statements: control becomes contexts, what is done becomes events.

use ruff_python_ast as ast;
use ruff_text_size::{Ranged, TextSize};

use super::{Lowering, span};
use crate::facts::{ContextId, ContextKind, EventKind, Import, ImportId, NOTHING};
use crate::source::Span;

impl<'a> Lowering<'a> {
    pub(super) fn statements(&mut self, body: &'a [ast::Stmt]) {
        for statement in body {
            self.statement(statement);
        }
    }

    fn statement(&mut self, node: &'a ast::Stmt) {
        match node {
            ast::Stmt::Expr(node) => {
                if !is_inert(&node.value) {
                    self.export_called(&node.value);
                    self.expr(&node.value);
                }
            }
            ast::Stmt::Assign(node) => {
                let value = self.expr(&node.value);
                for target in &node.targets {
                    self.export_assigned(target, Some(&node.value));
                    self.bind(target, value);
                }
            }
            ast::Stmt::AnnAssign(node) => self.annotated_assignment(node),
            ast::Stmt::AugAssign(node) => {
                self.export_assigned(&node.target, Some(&node.value));
                let target = self.target(&node.target);
                let value = self.expr(&node.value);
                let operator = super::expressions::operator(node.op);
                self.emit(EventKind::Augment { target, operator, value }, &*node.target);
            }
            ast::Stmt::Return(node) => {
                let value = node.value.as_deref().map_or(NOTHING, |value| self.expr(value));
                self.emit(EventKind::Return(value), node);
            }
            ast::Stmt::If(node) => self.if_statement(node),
            ast::Stmt::For(node) => self.for_statement(node),
            ast::Stmt::While(node) => self.while_statement(node),
            ast::Stmt::Try(node) => self.try_statement(node),
            ast::Stmt::With(node) => self.with_statement(node),
            ast::Stmt::Match(node) => self.match_statement(node),
            ast::Stmt::FunctionDef(node) => self.function_definition(node),
            ast::Stmt::ClassDef(node) => self.class_definition(node),
            ast::Stmt::Import(node) => node.names.iter().for_each(|alias| self.import(alias)),
            ast::Stmt::ImportFrom(node) => self.import_from(node),
            ast::Stmt::Delete(node) => node.targets.iter().for_each(|target| self.delete(target)),
            ast::Stmt::Raise(node) => {
                let exception = node.exc.as_deref().map_or(NOTHING, |exception| self.expr(exception));
                let cause = node.cause.as_deref().map_or(NOTHING, |cause| self.expr(cause));
                self.emit(EventKind::Raise { exception, cause }, node);
            }
            ast::Stmt::Assert(node) => {
                let test = self.expr(&node.test);
                if let Some(message) = node.msg.as_deref() {
                    let around = self.context;
                    let failed = self.open(ContextKind::Else(test), span(message));
                    self.expr(message);
                    self.context = around;
                    self.forget_if_empty(failed, 1);
                }
                self.emit(EventKind::Assert { test }, node);
            }
            ast::Stmt::TypeAlias(node) => {
                let value = self.annotation(&node.value);
                self.bind(&node.name, value);
            }
            ast::Stmt::Global(node) => {
                for name in &node.names {
                    let name = self.name(name);
                    self.frames.last_mut().into_iter().for_each(|frame| frame.globals.push(name));
                }
            }
            ast::Stmt::Nonlocal(node) => {
                for name in &node.names {
                    let name = self.name(name);
                    self.frames.last_mut().into_iter().for_each(|frame| frame.nonlocals.push(name));
                }
            }
            ast::Stmt::Break(node) => self.emit(EventKind::Break, node),
            ast::Stmt::Continue(node) => self.emit(EventKind::Continue, node),
            ast::Stmt::Pass(_) | ast::Stmt::IpyEscapeCommand(_) => {}
        }
    }

    fn annotated_assignment(&mut self, node: &'a ast::StmtAnnAssign) {
        self.export_assigned(&node.target, node.value.as_deref());
        let value = node.value.as_deref().map(|value| self.expr(value));
        let target = self.target(&node.target);
        let annotation = self.annotation(&node.annotation);
        self.emit(EventKind::Annotate { target, annotation }, &*node.target);
        if let Some(value) = value {
            self.emit(EventKind::Bind { target, value }, &*node.target);
        }
    }

    /// `elif` nests in the `else` before it; a loop, because generated code has thousands of them.
    fn if_statement(&mut self, node: &'a ast::StmtIf) {
        let around = self.context;
        let mut header = self.header(node.start(), node.test.end());
        let mut test = self.expr(&node.test);
        let mut group = self.open(ContextKind::If(test), header);
        self.statements(&node.body);
        self.context = self.tables.contexts[group.index()].parent;
        for clause in &node.elif_else_clauses {
            header = self.header(clause.start(), clause.test.as_ref().map_or(clause.start(), Ranged::end));
            self.open_arm(ContextKind::Else(test), header, group);
            let Some(elif_test) = &clause.test else {
                self.statements(&clause.body);
                self.context = around;
                return;
            };
            test = self.expr(elif_test);
            group = self.open(ContextKind::If(test), header);
            self.statements(&clause.body);
            self.context = self.tables.contexts[group.index()].parent;
        }
        self.open_arm(ContextKind::Else(test), header, group);
        self.context = around;
    }

    fn for_statement(&mut self, node: &'a ast::StmtFor) {
        let around = self.context;
        let header = self.header(node.start(), node.iter.end());
        let iterable = self.expr(&node.iter);
        let group = self.open(ContextKind::For { iterable }, header);
        self.bind_element(&node.target, iterable);
        self.statements(&node.body);
        self.context = around;
        self.arm(ContextKind::LoopElse, "else", header.end, &node.body, &node.orelse, group);
    }

    fn while_statement(&mut self, node: &'a ast::StmtWhile) {
        let around = self.context;
        let header = self.header(node.start(), node.test.end());
        let group = self.open(ContextKind::While(NOTHING), header);
        let test = self.expr(&node.test);
        self.tables.contexts[group.index()].kind = ContextKind::While(test);
        self.statements(&node.body);
        self.context = around;
        self.arm(ContextKind::LoopElse, "else", header.end, &node.body, &node.orelse, group);
    }

    fn try_statement(&mut self, node: &'a ast::StmtTry) {
        let around = self.context;
        let header = self.header(node.start(), node.start());
        let group = self.open(ContextKind::Try, header);
        self.statements(&node.body);
        self.context = around;
        let mut before = node.body.last().map_or(header.end, |last| last.end().to_u32());
        for ast::ExceptHandler::ExceptHandler(handler) in &node.handlers {
            let header_end = match (&handler.name, &handler.type_) {
                (Some(name), _) => name.end(),
                (None, Some(types)) => types.end(),
                (None, None) => handler.start(),
            };
            let types = handler.type_.as_deref().map_or(NOTHING, |types| self.expr(types));
            let header = self.header(handler.start(), header_end);
            self.open_arm(ContextKind::Except(types), header, group);
            if let Some(name) = &handler.name {
                let target = self.bind_identifier(name);
                self.emit(EventKind::BindException { target, types }, name);
            }
            self.statements(&handler.body);
            self.context = around;
            before = handler.end().to_u32();
        }
        self.arm(ContextKind::TryElse, "else", before, &[], &node.orelse, group);
        self.arm(ContextKind::Finally, "finally", before, &node.orelse, &node.finalbody, group);
    }

    /// An arm that the tree has no node for: its header is found after what stands before it.
    fn arm(
        &mut self,
        kind: ContextKind,
        keyword: &str,
        after: u32,
        before: &[ast::Stmt],
        body: &'a [ast::Stmt],
        group: ContextId,
    ) {
        if body.is_empty() {
            return;
        }
        let around = self.context;
        let after = before.last().map_or(after, |last| last.end().to_u32());
        let header = self.clause(after, keyword);
        self.open_arm(kind, header, group);
        self.statements(body);
        self.context = around;
    }

    fn with_statement(&mut self, node: &'a ast::StmtWith) {
        let around = self.context;
        for item in &node.items {
            let manager = self.expr(&item.context_expr);
            self.open(ContextKind::With { manager, is_async: node.is_async }, span(item));
            if let Some(target) = item.optional_vars.as_deref() {
                self.bind_manager(target, manager);
            }
        }
        self.statements(&node.body);
        self.context = around;
    }

    fn match_statement(&mut self, node: &'a ast::StmtMatch) {
        let around = self.context;
        let subject = self.expr(&node.subject);
        let mut group = None;
        for case in &node.cases {
            let irrefutable = case.pattern.is_irrefutable();
            let header_end = case.guard.as_deref().map_or(case.pattern.end(), Ranged::end);
            let header = self.header(case.start(), header_end);
            let kind = ContextKind::Case { subject, guard: NOTHING, irrefutable };
            let first = group.unwrap_or(ContextId(self.tables.contexts.len() as u32));
            let arm = self.open_arm(kind, header, first);
            group = Some(first);
            self.pattern(&case.pattern, subject);
            if let Some(guard) = case.guard.as_deref() {
                let guard = self.expr(guard);
                self.tables.contexts[arm.index()].kind = ContextKind::Case { subject, guard, irrefutable };
            }
            self.statements(&case.body);
            self.context = around;
        }
    }

    fn import(&mut self, alias: &'a ast::Alias) {
        let module = self.name(&alias.name);
        let bound = match (&alias.asname, alias.name.as_str().split_once('.')) {
            (Some(bound), _) => self.name(bound),
            (None, Some((first, _))) => self.name(first),
            (None, None) => module,
        };
        let has_alias = alias.asname.is_some();
        self.push_import(Import { module, level: 0, name: None, bound, has_alias }, alias);
        self.bind_name(bound);
    }

    fn import_from(&mut self, node: &'a ast::StmtImportFrom) {
        let module = self.name(node.module.as_ref().map_or("", |module| module.as_str()));
        for alias in &node.names {
            let name = self.name(&alias.name);
            let bound = alias.asname.as_ref().map_or(name, |bound| self.name(bound));
            let has_alias = alias.asname.is_some();
            self.push_import(Import { module, level: node.level, name: Some(name), bound, has_alias }, alias);
            if alias.name.as_str() != "*" {
                self.bind_name(bound);
            }
        }
    }

    fn push_import(&mut self, import: Import, place: &ast::Alias) {
        let id = ImportId(self.tables.imports.len() as u32);
        self.tables.imports.push(import);
        self.emit(EventKind::Import(id), place);
    }

    /// From the statement's start to the colon after the last thing in its header.
    fn header(&self, start: TextSize, last: TextSize) -> Span {
        let last = last.to_usize();
        let rest = self.text.as_bytes().get(last..).unwrap_or_default();
        let mut in_comment = false;
        for (index, byte) in rest.iter().enumerate() {
            match byte {
                b':' if !in_comment => return Span::new(start.to_u32(), (last + index + 1) as u32),
                b'#' => in_comment = true,
                b'\n' | b'\r' => in_comment = false,
                // A parenthesis around the header's end, or a keyword (`try`, `else`, `except`) without anything.
                b' ' | b'\t' | b'\x0c' | b'\\' | b')' | b',' | b'a'..=b'z' | b'*' => {}
                _ if in_comment => {}
                _ => break,
            }
        }
        Span::new(start.to_u32(), last as u32)
    }

    /// The header of `else:` or `finally:`, which is the first thing after `after` that isn't space or comment.
    fn clause(&self, after: u32, keyword: &str) -> Span {
        let rest = self.text.get(after as usize..).unwrap_or_default();
        let mut in_comment = false;
        for (index, byte) in rest.bytes().enumerate() {
            match byte {
                b'\n' | b'\r' => in_comment = false,
                b'#' => in_comment = true,
                _ if in_comment => {}
                b' ' | b'\t' | b'\x0c' | b'\\' | b';' => {}
                _ if rest[index..].starts_with(keyword) => {
                    let start = TextSize::new(after + index as u32);
                    return self.header(start, start);
                }
                _ => break,
            }
        }
        Span::new(after, after)
    }
}

/// Docstrings and the `...` of stubs.
fn is_inert(node: &ast::Expr) -> bool {
    matches!(node, ast::Expr::StringLiteral(_) | ast::Expr::EllipsisLiteral(_))
}
