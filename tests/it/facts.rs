//! What each construct of Python becomes, as `dump` writes it.

use std::collections::HashSet;

use ruff_python_ast::PySourceType;
use unleak::facts::lower::{Bodies, lower};
use unleak::facts::{ContextKind, FileFacts, dump::dump};
use unleak::source::Name;

fn facts(source: &str) -> FileFacts {
    let parsed = ruff_python_parser::parse_unchecked_source(source, PySourceType::Python);
    lower(parsed.syntax(), source, Bodies::All)
}

/// Both begin with a line break that does not count.
#[track_caller]
fn check(source: &str, expected: &str) {
    let found = dump(&facts(&source[1..]));
    assert!(found == expected[1..], "found:\n{found}\nexpected:{expected}");
}

#[test]
fn chained_and_unpacked_targets() {
    check(
        r##"
a = b.c = f()
x, [y, z] = 1, g()
p, *q = f()
(m, n), o = f(), 2
"##,
        r##"
module; binds a m n o p q x y z:
  call f()
  bind a = f()
  bind b.c = f()
  call g()
  bind x = 1
  bind y = element of g()
  bind z = element of g()
  call f()
  bind p = element of f()
  bind q = element of f()
  call f()
  bind m = element of f()
  bind n = element of f()
  bind o = 2
"##,
    );
}

#[test]
fn targets_are_not_read() {
    check(
        r##"
d[k()][1] = d[2]
d[3] += e[4]
del d[5], (d[6], e.f)
"##,
        r##"
module:
  read d[2]
  call k()
  read d[k()]
  bind d[k()][1] = d[2]
  read e[4]
  augment d[3] += e[4]
  delete d[5]
  delete d[6]
  delete e.f
"##,
    );
}

#[test]
fn calls_come_in_the_order_of_evaluation() {
    check(
        r##"
f(g(1), *h(), k=i(), **j()).m(n)
"##,
        r##"
module:
  call g(1)
  call h()
  call i()
  call j()
  call f(g(1), *h(), k=i(), **j())
  call f(g(1), *h(), k=i(), **j()).m(n)
"##,
    );
}

#[test]
fn functions_wait_until_the_scope_around_them_is_done() {
    check(
        r##"
@cache
@make(1)
def f(a: int, /, b: "list[C]" = mk(), *args, c=lambda z=1: z + 1, **kw) -> Literal["x y"]:
    def inner():
        nonlocal b
        b = yield
    return inner
after()
"##,
        r##"
module; binds f:
  call make(1)
  call mk()
  define @cache @make(1) def f(/a: int, b: list[C] = mk(), *args, =c = <lambda of scope 1>, **kw) -> Literal[<str>]
  call after()
lambda; binds z:
  return z + 1
def f; binds a args b c inner kw:
  define generator def inner()
  return inner
def inner; nonlocal b:
  yield nothing
  bind b = sent
"##,
    );
}

#[test]
fn async_functions() {
    check(
        r##"
async def f():
    async with a() as b, c as (d, e):
        await b.x()
    async for x in y:
        yield x
    return [u async for u in w]
"##,
        r##"
module; binds f:
  define async generator def f()
def f; binds b d e x:
  call a()
  async with a():
    bind b = enter a()
    async with c:
      bind d = element of c
      bind e = element of c
      call b.x()
      await b.x()
  for each of y:
    bind x = element of y
    yield x
  comprehension; binds u:
    for each of w:
      bind u = element of w
      yield u
  return <list of scope 2>
"##,
    );
}

#[test]
fn classes_run_where_they_stand() {
    check(
        r##"
@register
class C(Base, Generic[T], metaclass=Meta, **more):
    x: int = 3
    y: "dict[str, a.B]"
    z = x
    def m(self):
        return self.x
after()
"##,
        r##"
module; binds C:
  class C; binds m x y z:
    annotate x: int
    bind x = 3
    annotate y: dict[(str, a.B)]
    bind z = x
    define def m(self)
  define @register class C(Base, Generic[T], metaclass=Meta, **more)
  call after()
def m; binds self:
  return self.x
"##,
    );
}

#[test]
fn globals_are_not_bound_in_the_function() {
    check(
        r##"
def f():
    global a, b
    a = c = 1
"##,
        r##"
module; binds f:
  define def f()
def f; binds c; global a b:
  bind a = 1
  bind c = 1
"##,
    );
}

#[test]
fn imports() {
    check(
        r##"
from __future__ import annotations
import a.b, c.d as e
from . import x
from ..m import *
from n import (p as q)
"##,
        r##"
module; binds a annotations e q x:
  import __future__ annotations as annotations
  import a.b as a
  import c.d as e, renamed
  import . x as x
  import ..m * as *
  import n p as q, renamed
"##,
    );
}

#[test]
fn elif_nests_in_the_else_before_it() {
    check(
        r##"
if a():
    pass
elif b():
    c()
if d:
    e()
else:
    f()
"##,
        r##"
module:
  call a()
  if a():
  unless a(): (arm of 1)
    call b()
    if b():
      call c()
    unless b(): (arm of 3)
  if d:
    call e()
  unless d: (arm of 5)
    call f()
"##,
    );
}

#[test]
fn loops() {
    check(
        r##"
for i, (j, k) in enumerate(a):
    continue
else:
    g()
while next(q):
    break
else:
    h()
"##,
        r##"
module; binds i j k:
  call enumerate(a)
  for each of enumerate(a):
    bind i = element of element of enumerate(a)
    bind j = element of element of element of enumerate(a)
    bind k = element of element of element of enumerate(a)
    continue
  loop else: (arm of 1)
    call g()
  while next(q):
    call next(q)
    break
  loop else: (arm of 3)
    call h()
"##,
    );
}

#[test]
fn short_circuits_open_contexts_for_what_happens_in_them() {
    check(
        r##"
a and b.c() and d
a or b
r = p() if t else q
s = p if t else q
assert a, boom()
"##,
        r##"
module; binds r s:
  if a:
    call b.c()
  if t:
    call p()
  unless t: (arm of 2)
  bind r = p() if t else q
  bind s = p if t else q
  unless a:
    call boom()
  assert a
"##,
    );
}

#[test]
fn comprehensions() {
    check(
        r##"
x = [u(v) for v in w() if v.ok for z in v.parts() if (last := z)]
y = {k: v for k, v in it}
any(f(i) for i in y)
"##,
        r##"
module; binds last x y:
  call w()
  comprehension; binds v z:
    for each of w():
      bind v = element of w()
      if v.ok:
        call v.parts()
        for each of v.parts():
          bind z = element of v.parts()
          bind last = z
          if z:
            call u(v)
            yield u(v)
  bind x = <list of scope 1>
  comprehension; binds k v:
    for each of it:
      bind k = element of element of it
      bind v = element of element of it
      yield (k, v)
  bind y = <dict of scope 2>
  comprehension; binds i:
    for each of y:
      bind i = element of y
      call f(i)
      yield f(i)
  call any(<generator of scope 3>)
"##,
    );
}

#[test]
fn exceptions() {
    check(
        r##"
try:
    t()
except (A, B) as exc:
    raise E from exc
except:
    pass
else:
    u()
finally:
    v()
"##,
        r##"
module; binds exc:
  try:
    call t()
  except (A, B): (arm of 1)
    bind exc = caught (A, B)
    raise E from exc
  except: (arm of 1)
  try else: (arm of 1)
    call u()
  finally: (arm of 1)
    call v()
"##,
    );
}

#[test]
fn with_items_nest() {
    check(
        r##"
with open(p) as f, lock, open(q) as g.h:
    pass
"##,
        r##"
module; binds f:
  call open(p)
  with open(p):
    bind f = enter open(p)
    with lock:
      call open(q)
      with open(q):
        bind g.h = enter open(q)
"##,
    );
}

#[test]
fn patterns() {
    check(
        r##"
match s():
    case [a, C(b, k=v)] if b:
        pass
    case {"k": w, **rest} | rest:
        go()
    case E.x | None:
        pass
    case y:
        pass
"##,
        r##"
module; binds a b rest v w y:
  call s()
  case of s() if b:
    bind a = match element of s()
    bind b = match element of element of s()
    bind v = match element of s().k
  case of s(), always: (arm of 1)
    bind w = match s()["k"]
    bind rest = match element of s()
    bind rest = match s()
    call go()
  case of s(): (arm of 1)
  case of s(), always: (arm of 1)
    bind y = match s()
"##,
    );
}

#[test]
fn constants() {
    check(
        r##"
f(None, True, ..., -1, 2147483648, 1.5, "word", "a.b", "two words", b"x", "a" "b")
"##,
        r##"
module:
  call f(None, True, ..., -1, <number>, <number>, "word", "a.b", <str>, <bytes>, <str>)
"##,
    );
}

#[test]
fn strings_with_expressions() {
    check(
        r##"
x = f"{a!r:{b()}}" "x", t"{c}"
"##,
        r##"
module; binds x:
  call b()
  bind x = (f"{a}{b()}", f"{c}")
"##,
    );
}

#[test]
fn operators() {
    check(
        r##"
x = a + b - c ** d | e
y = 1 < a <= f()
z = not -a in b
"##,
        r##"
module; binds x y z:
  bind x = ((a + b) - (c <op> d)) | e
  call f()
  bind y = (1 < a) and (a <= f())
  bind z = not (±a in b)
"##,
    );
}

#[test]
fn slices_are_read() {
    check(
        r##"
x = a[1:], a[b, ::2]
"##,
        r##"
module; binds x:
  read a[1::]
  read a[(b, ::2)]
  bind x = (a[1::], a[(b, ::2)])
"##,
    );
}

#[test]
fn annotations_make_no_events() {
    check(
        r##"
x: Annotated[int, f(y[1])]
y: "list[a.B] | None" = []
z: "not a type"
type T = dict[str, T]
"##,
        r##"
module; binds T x y z:
  annotate x: Annotated[(int, nothing)]
  annotate y: list[a.B] | None
  bind y = []
  annotate z: <str>
  bind T = dict[(str, T)]
"##,
    );
}

#[test]
fn generators() {
    check(
        r##"
def f():
    x = yield 1
    yield from g()
def h():
    return (i for i in x)
"##,
        r##"
module; binds f h:
  define generator def f()
  define def h()
def f; binds x:
  yield 1
  bind x = sent
  call g()
  yield element of g()
def h:
  comprehension; binds i:
    for each of x:
      bind i = element of x
      yield i
  return <generator of scope 3>
"##,
    );
}

#[test]
fn exports() {
    check(
        r##"
__all__ = ["a"] + ["b"]
__all__ += ("c",)
__all__.extend(["d"])
"##,
        r##"
module; binds __all__:
  bind __all__ = ["a"] + ["b"]
  augment __all__ += ("c",)
  call __all__.extend(["d"])
exports a b c d
"##,
    );
}

#[test]
fn unknown_exports() {
    check(
        r##"
__all__ = ["a"]
__all__ += other.__all__
"##,
        r##"
module; binds __all__:
  bind __all__ = ["a"]
  augment __all__ += other.__all__
"##,
    );
}

#[test]
fn broken_text() {
    check(
        r##"
def f(:
    x = 
    return [a(, b.
for x in
class
"##,
        r##"
module; binds f:
  define def f(x)
def f; binds x:
  call a(b.for, x in class)
  return [a(b.for, x in class)]
"##,
    );
}

/// The text that a span covers is what a report underlines.
#[test]
fn spans() {
    let source = "\
if a(1).b:
    x = y[2]
elif (c
      ) :
    del d.e, f
try:
    pass  # else: not this
except* E as g:
    pass
else :
    pass
finally:
    import h.i as j, k
@l
async def m(n): pass
with o() as p:
    return q
";
    let facts = facts(source);
    let text = |span: unleak::source::Span| &source[span.start as usize..span.end as usize];
    let events: Vec<&str> = facts.events.iter().map(|event| text(event.span)).collect();
    assert_eq!(
        events,
        ["a(1)", "y[2]", "x", "d.e", "f", "g", "h.i as j", "k", "m", "o()", "p", "return q"],
        "{}",
        dump(&facts)
    );
    let headers: Vec<&str> = facts
        .contexts
        .iter()
        .filter(|context| context.kind != ContextKind::Body)
        .map(|context| text(context.span))
        .collect();
    let elif = "elif (c\n      ) :";
    assert_eq!(headers, ["if a(1).b:", elif, elif, elif, "try:", "except* E as g:", "else :", "finally:", "o() as p"]);
    let function = &facts.functions[0];
    assert_eq!((text(function.name_span), text(function.span)), ("m", "@l\nasync def m(n): pass"));
}

#[test]
fn equal_paths_have_equal_numbers() {
    let facts = facts("a.b[c] = 1\ndel a.b[c]\ndef f(): del a.b[c]\n");
    let targets: Vec<_> = facts
        .events
        .iter()
        .filter_map(|event| match event.kind {
            unleak::facts::EventKind::Bind { target, .. } | unleak::facts::EventKind::Delete { target } => Some(target),
            _ => None,
        })
        .collect();
    assert!(targets.len() == 3 && targets.iter().all(|target| *target == targets[0]));
}

#[test]
fn the_events_of_a_scope_lie_in_one_run() {
    let facts = facts("def f():\n  def g(): a()\n  b()\n  class C:\n    c()\nd()\n");
    let runs: Vec<Vec<&str>> = facts
        .scopes
        .iter()
        .map(|scope| {
            let calls = facts.events[scope.events.range()].iter().filter_map(|event| match event.kind {
                unleak::facts::EventKind::Call(call) => match facts.expr(facts.call(call).callee) {
                    unleak::facts::Expr::Name(name) => Some(name.as_str()),
                    _ => None,
                },
                _ => None,
            });
            calls.collect()
        })
        .collect();
    assert_eq!(runs, [vec!["d"], vec!["b", "c"], vec!["a"], vec!["c"]]);
}

/// A sum of many thousand terms leans to the left, deeper than the stack.
#[test]
fn long_sums() {
    let sum = vec!["a"; 20_000].join(" + ");
    assert_eq!(facts(&format!("x = {sum}\ny: {sum}\n")).events.len(), 2);
}

#[test]
fn a_deep_quoted_type_is_not_parsed() {
    let deep = "[".repeat(100_000);
    let long = "not ".repeat(100_000);
    assert_eq!(facts(&format!("x: '{deep}'\ny: '{long} z'\n")).events.len(), 2);
}

/// Every beginning of a program is a program to whoever is typing it.
#[test]
fn no_text_breaks_the_lowering() {
    let source = include_str!("facts.rs");
    for (end, _) in source.char_indices().filter(|(end, _)| end % 7 == 0) {
        dump(&facts(&source[end.saturating_sub(400)..end]));
    }
}

/// Names are compared as numbers made of their first sixteen bytes, or by hash and text.
#[test]
fn names_are_told_apart() {
    let mut texts: Vec<String> = (0..40).map(|length| "a".repeat(length)).collect();
    texts.extend((0..40).map(|length| format!("{}b", "a".repeat(length))));
    texts.extend((0..20).map(|length| format!("{}\0", "a".repeat(length))));
    texts.extend(["\0", "\0\0", "a\0b", "é", "éé", "abcdefgh", "hgfedcba", "abcdefghabcdefgh"].map(str::to_owned));
    texts.sort();
    texts.dedup();
    let names: Vec<Name> = texts.iter().map(|text| Name::new(text)).collect();
    for (text, name) in texts.iter().zip(&names) {
        assert_eq!((name.as_str(), Name::new(text)), (text.as_str(), *name));
    }
    assert_eq!(names.iter().collect::<HashSet<_>>().len(), texts.len());
}
