//! Facts as text, for tests and for whoever wonders what the analysis saw.
//!
//! One line per scope, context and event, in the order of the facts, indented by the contexts around it. Expressions
//! are written as Python would write them, as far as the facts still know.

use std::fmt::Write;

use crate::facts::{
    ComprehensionKind, Constant, Context, ContextId, ContextKind, DisplayKind, Event, EventId, EventKind, Expr, ExprId,
    FileFacts, Function, NOTHING, Operator, ParameterKind, Run, ScopeId, ScopeKind,
};
use crate::source::Name;

/// Deeper expressions are cut: the text is read by people.
const DEEPEST: usize = 40;

pub fn dump(facts: &FileFacts) -> String {
    let mut text = String::new();
    let mut contexts = facts.contexts.iter().enumerate().peekable();
    for (index, event) in facts.events.iter().enumerate() {
        while let Some((id, context)) = contexts.next_if(|(_, context)| context.opened.index() <= index) {
            write_context(&mut text, facts, ContextId(id as u32), context);
        }
        let depth = depth(facts, event.context) + 1;
        let _ = writeln!(text, "{:depth$}{}", "", Line(facts, event), depth = depth * 2);
    }
    for (id, context) in contexts {
        write_context(&mut text, facts, ContextId(id as u32), context);
    }
    if let Some(exports) = &facts.exports {
        let _ = writeln!(text, "exports {}", names(exports));
    }
    text
}

/// An expression as Python would write it.
pub fn expression(facts: &FileFacts, id: ExprId) -> String {
    let mut text = String::new();
    write_expr(&mut text, facts, id, 0);
    text
}

/// An event as a line of text.
pub fn event(facts: &FileFacts, id: EventId) -> String {
    Line(facts, facts.event(id)).to_string()
}

fn depth(facts: &FileFacts, id: ContextId) -> usize {
    facts.context_ids_outwards(id).skip(1).count()
}

fn names(names: &[Name]) -> String {
    let mut names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
    names.sort_unstable();
    names.join(" ")
}

fn write_context(text: &mut String, facts: &FileFacts, id: ContextId, context: &Context) {
    let indent = depth(facts, id) * 2;
    let expr = |id| expression(facts, id);
    let mut line = match context.kind {
        ContextKind::Body => scope_header(facts, context.scope),
        ContextKind::If(test) => format!("if {}:", expr(test)),
        ContextKind::Else(test) => format!("unless {}:", expr(test)),
        ContextKind::For { iterable } => format!("for each of {}:", expr(iterable)),
        ContextKind::While(test) => format!("while {}:", expr(test)),
        ContextKind::LoopElse => "loop else:".to_owned(),
        ContextKind::Try => "try:".to_owned(),
        ContextKind::Except(NOTHING) => "except:".to_owned(),
        ContextKind::Except(types) => format!("except {}:", expr(types)),
        ContextKind::TryElse => "try else:".to_owned(),
        ContextKind::Finally => "finally:".to_owned(),
        ContextKind::With { manager, is_async } => format!("{}with {}:", asynchronous(is_async), expr(manager)),
        ContextKind::Case { subject, guard, irrefutable } => {
            let guard = if guard == NOTHING { String::new() } else { format!(" if {}", expr(guard)) };
            format!("case of {}{guard}{}:", expr(subject), if irrefutable { ", always" } else { "" })
        }
    };
    if context.group != id {
        let _ = write!(line, " (arm of {})", context.group.index());
    }
    let _ = writeln!(text, "{:indent$}{line}", "");
}

fn scope_header(facts: &FileFacts, id: ScopeId) -> String {
    let scope = facts.scope(id);
    let mut line = match scope.kind {
        ScopeKind::Module => "module".to_owned(),
        ScopeKind::Class(class) => format!("class {}", facts.class(class).name),
        ScopeKind::Function(function) => format!("def {}", facts.function(function).name),
        ScopeKind::Lambda(_) => "lambda".to_owned(),
        ScopeKind::Comprehension => "comprehension".to_owned(),
    };
    for (word, run) in [("binds", scope.bindings), ("global", scope.globals), ("nonlocal", scope.nonlocals)] {
        if run.len > 0 {
            let _ = write!(line, "; {word} {}", names(&facts.names[run.range()]));
        }
    }
    line.push(':');
    line
}

struct Line<'a>(&'a FileFacts, &'a Event);

impl std::fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Line(facts, event) = self;
        let expr = |id| expression(facts, id);
        match event.kind {
            EventKind::Call(call) => write!(f, "call {}", call_text(facts, call, 0)),
            EventKind::Bind { target, value } => write!(f, "bind {} = {}", expr(target), expr(value)),
            EventKind::Annotate { target, annotation } => {
                write!(f, "annotate {}: {}", expr(target), expr(annotation))
            }
            EventKind::Augment { target, operator, value } => {
                write!(f, "augment {} {}= {}", expr(target), operator_text(operator), expr(value))
            }
            EventKind::BindElement { target, iterable } => {
                write!(f, "bind {} = element of {}", expr(target), expr(iterable))
            }
            EventKind::BindManager { target, manager } => write!(f, "bind {} = enter {}", expr(target), expr(manager)),
            EventKind::BindException { target, types } => write!(f, "bind {} = caught {}", expr(target), expr(types)),
            EventKind::BindPattern { target, subject } => write!(f, "bind {} = match {}", expr(target), expr(subject)),
            EventKind::Import(import) => {
                let import = &facts.imports[import.index()];
                write!(f, "import {}{}", ".".repeat(import.level as usize), import.module)?;
                if let Some(name) = import.name {
                    write!(f, " {name}")?;
                }
                write!(f, " as {}{}", import.bound, if import.has_alias { ", renamed" } else { "" })
            }
            EventKind::Define(function) => f.write_str(&definition(facts, facts.function(function))),
            EventKind::DefineClass(class) => {
                let class = facts.class(class);
                let mut arguments = list_texts(facts, class.bases, 0);
                arguments.extend(keyword_texts(facts, class.keywords, 0));
                write!(
                    f,
                    "define {}class {}({})",
                    decorators(facts, class.decorators),
                    class.name,
                    arguments.join(", ")
                )
            }
            EventKind::Delete { target } => write!(f, "delete {}", expr(target)),
            EventKind::Read(item) => write!(f, "read {}", expr(item)),
            EventKind::Return(value) => write!(f, "return {}", expr(value)),
            EventKind::Yield(value) => write!(f, "yield {}", expr(value)),
            EventKind::Await(value) => write!(f, "await {}", expr(value)),
            EventKind::Raise { exception, cause: NOTHING } => write!(f, "raise {}", expr(exception)),
            EventKind::Raise { exception, cause } => write!(f, "raise {} from {}", expr(exception), expr(cause)),
            EventKind::Assert { test } => write!(f, "assert {}", expr(test)),
            EventKind::Break => f.write_str("break"),
            EventKind::Continue => f.write_str("continue"),
        }
    }
}

fn definition(facts: &FileFacts, function: &Function) -> String {
    let parameters: Vec<String> = facts
        .parameters(function)
        .iter()
        .map(|parameter| {
            let mut text = match parameter.kind {
                ParameterKind::PositionalOnly => "/",
                ParameterKind::Positional => "",
                ParameterKind::Rest => "*",
                ParameterKind::KeywordOnly => "=",
                ParameterKind::Keywords => "**",
            }
            .to_owned();
            text.push_str(parameter.name.as_str());
            if parameter.annotation != NOTHING {
                let _ = write!(text, ": {}", expression(facts, parameter.annotation));
            }
            if parameter.default != NOTHING {
                let _ = write!(text, " = {}", expression(facts, parameter.default));
            }
            text
        })
        .collect();
    let mut text = format!(
        "define {}{}{}def {}({})",
        decorators(facts, function.decorators),
        asynchronous(function.is_async),
        if function.is_generator { "generator " } else { "" },
        function.name,
        parameters.join(", ")
    );
    if function.returns != NOTHING {
        let _ = write!(text, " -> {}", expression(facts, function.returns));
    }
    text
}

fn decorators(facts: &FileFacts, run: Run) -> String {
    facts.list(run).iter().map(|id| format!("@{} ", expression(facts, *id))).collect()
}

fn asynchronous(is_async: bool) -> &'static str {
    if is_async { "async " } else { "" }
}

fn write_expr(text: &mut String, facts: &FileFacts, id: ExprId, depth: usize) {
    if depth > DEEPEST {
        text.push_str("...");
        return;
    }
    let inner = |id| {
        let mut text = String::new();
        write_expr(&mut text, facts, id, depth + 1);
        text
    };
    // What binds less tightly than a dot is put in parentheses.
    let operand = |id| match facts.expr(id) {
        Expr::Binary(..) | Expr::Not(_) | Expr::And(_) | Expr::Or(_) | Expr::Conditional(_) | Expr::Await(_) => {
            format!("({})", inner(id))
        }
        _ => inner(id),
    };
    let operands = |run| facts.list(run).iter().map(|id| operand(*id)).collect::<Vec<_>>();
    let _ = match facts.expr(id) {
        Expr::Nothing => write!(text, "nothing"),
        Expr::Constant(constant) => write!(text, "{}", constant_text(constant)),
        Expr::Name(name) => write!(text, "{name}"),
        Expr::Attribute(base, name) => write!(text, "{}.{name}", operand(base)),
        Expr::Subscript(base, key) => write!(text, "{}[{}]", operand(base), inner(key)),
        Expr::Slice(parts) => {
            let parts: Vec<String> =
                facts.list(parts).iter().map(|id| if *id == NOTHING { String::new() } else { inner(*id) }).collect();
            write!(text, "{}", parts.join(":"))
        }
        Expr::Call(call) => write!(text, "{}", call_text(facts, call, depth)),
        Expr::Display(kind, elements) => write!(text, "{}", display_text(facts, kind, elements, depth)),
        Expr::Comprehension(kind, scope) => {
            let kind = match kind {
                ComprehensionKind::List => "list",
                ComprehensionKind::Set => "set",
                ComprehensionKind::Dict => "dict",
                ComprehensionKind::Generator => "generator",
            };
            write!(text, "<{kind} of scope {}>", scope.index())
        }
        Expr::Lambda(function) => write!(text, "<lambda of scope {}>", facts.function(function).scope.index()),
        Expr::Binary(operator, left, right) => {
            write!(text, "{} {} {}", operand(left), operator_text(operator), operand(right))
        }
        Expr::Not(inner) => write!(text, "not {}", operand(inner)),
        Expr::Unary(inner) => write!(text, "±{}", operand(inner)),
        Expr::And(parts) => write!(text, "{}", operands(parts).join(" and ")),
        Expr::Or(parts) => write!(text, "{}", operands(parts).join(" or ")),
        Expr::Conditional(parts) => match facts.list(parts) {
            [test, then, otherwise] => {
                write!(text, "{} if {} else {}", operand(*then), operand(*test), operand(*otherwise))
            }
            _ => Ok(()),
        },
        Expr::Format(parts) => write!(text, "f\"{{{}}}\"", list_texts(facts, parts, depth + 1).join("}{")),
        Expr::Await(inner) => write!(text, "await {}", operand(inner)),
        Expr::Starred(inner) => write!(text, "*{}", operand(inner)),
        Expr::Element(whole) => write!(text, "element of {}", operand(whole)),
        Expr::Sent => write!(text, "sent"),
    };
}

fn call_text(facts: &FileFacts, call: crate::facts::CallId, depth: usize) -> String {
    let call = facts.call(call);
    let mut text = String::new();
    write_expr(&mut text, facts, call.callee, depth + 1);
    let mut arguments = list_texts(facts, call.arguments, depth + 1);
    arguments.extend(keyword_texts(facts, call.keywords, depth + 1));
    let _ = write!(text, "({})", arguments.join(", "));
    text
}

fn list_texts(facts: &FileFacts, run: Run, depth: usize) -> Vec<String> {
    facts
        .list(run)
        .iter()
        .map(|id| {
            let mut text = String::new();
            write_expr(&mut text, facts, *id, depth);
            text
        })
        .collect()
}

fn keyword_texts(facts: &FileFacts, run: Run, depth: usize) -> Vec<String> {
    facts.keywords[run.range()]
        .iter()
        .map(|(name, value)| {
            let mut text = name.map_or("**".to_owned(), |name| format!("{name}="));
            write_expr(&mut text, facts, *value, depth);
            text
        })
        .collect()
}

fn display_text(facts: &FileFacts, kind: DisplayKind, elements: Run, depth: usize) -> String {
    let parts = list_texts(facts, elements, depth + 1);
    match kind {
        DisplayKind::Tuple if parts.len() == 1 => format!("({},)", parts[0]),
        DisplayKind::Tuple => format!("({})", parts.join(", ")),
        DisplayKind::List => format!("[{}]", parts.join(", ")),
        DisplayKind::Set => format!("{{{}}}", parts.join(", ")),
        DisplayKind::Dict => {
            let items: Vec<String> = facts
                .list(elements)
                .iter()
                .step_by(2)
                .zip(parts.chunks(2))
                .map(|(key, item)| match item {
                    [_, value] if *key == NOTHING => format!("**{value}"),
                    [key, value] => format!("{key}: {value}"),
                    _ => String::new(),
                })
                .collect();
            format!("{{{}}}", items.join(", "))
        }
    }
}

fn constant_text(constant: Constant) -> String {
    match constant {
        Constant::None => "None".to_owned(),
        Constant::True => "True".to_owned(),
        Constant::False => "False".to_owned(),
        Constant::Ellipsis => "...".to_owned(),
        Constant::Int(number) => number.to_string(),
        Constant::Number => "<number>".to_owned(),
        Constant::Word(word) => format!("\"{word}\""),
        Constant::Str => "<str>".to_owned(),
        Constant::Bytes => "<bytes>".to_owned(),
    }
}

fn operator_text(operator: Operator) -> &'static str {
    match operator {
        Operator::Add => "+",
        Operator::Sub => "-",
        Operator::Mult => "*",
        Operator::Mod => "%",
        Operator::BitOr => "|",
        Operator::BitAnd => "&",
        Operator::BitXor => "^",
        Operator::Other => "<op>",
        Operator::Eq => "==",
        Operator::NotEq => "!=",
        Operator::Lt => "<",
        Operator::LtE => "<=",
        Operator::Gt => ">",
        Operator::GtE => ">=",
        Operator::Is => "is",
        Operator::IsNot => "is not",
        Operator::In => "in",
        Operator::NotIn => "not in",
    }
}
