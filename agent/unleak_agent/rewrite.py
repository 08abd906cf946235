"""Code of a flagged file in which only the flagged places call hooks.

Places come as spans of bytes. Each is looked up among the nodes of the syntax tree, and what is done there depends on
the node: a container is handed through a hook before something is added to it, a call through one after it returned.
Everything is evaluated once and in the order in which it was. The hooks stand in `builtins`, so that no module and no
class gets a name more than it had.
"""

import ast
import builtins
import io
import tokenize

from . import growth, plan as plans

#: Called by a script before anything else.
MAIN_HOOK = "__unleak_main__"

_GROWING = {
    "add", "append", "appendleft", "extend", "extendleft", "insert", "put", "put_nowait", "setdefault", "update",
    "__setitem__", "register", "push", "enter_context", "callback", "heappush",
}
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class NotRewritten(Exception):
    """The file is not what was checked."""


def rewritten(data, path, real, plan, recorder):
    """The tree of the file with all hooks in it."""
    text = _decoded(data)
    if plans.digest(text) != plan.files.get(real):
        raise NotRewritten("the file is not the one that was checked")
    tree = ast.parse(data, filename=path)
    rewriter = Rewriter(tree, text, real, plan)
    for watch in plan.by_file[real]:
        if rewriter.place(watch):
            watch.recorder = recorder
            watch.is_placed = True
    recorder.rewritten.add(real)
    return tree


def _decoded(data):
    """The bytes of the decoded text as UTF-8: what the spans count."""
    encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    return data.decode(encoding).lstrip("\ufeff").encode("utf-8")


def parsed(data, path):
    return ast.parse(data, filename=path)


def with_main_hook(tree):
    """The first thing that a script does is to undo the detour on which it was run; a module does nothing."""
    first = _index_of_first(tree.body)
    while first < len(tree.body) and getattr(tree.body[first], "module", None) == "__future__":
        first += 1
    call = ast.Call(ast.Name("globals", ast.Load()), [], [])
    hook = ast.Expr(ast.Call(ast.Name(MAIN_HOOK, ast.Load()), [call], []))
    anchor = tree.body[first] if first < len(tree.body) else None
    if anchor is not None:
        tree.body.insert(first, ast.fix_missing_locations(ast.copy_location(hook, anchor)))
    return tree


def _index_of_first(body):
    """Where a statement can be put in front of all others: behind a docstring."""
    is_text = body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
    return 1 if is_text and isinstance(body[0].value.value, str) else 0


class Rewriter:
    """One file's tree, with the way from each node to what it stands in."""

    def __init__(self, tree, text, real, plan):
        self.tree, self.text, self.real, self.plan = tree, text, real, plan
        self.starts = _line_starts(text)
        self.parents, self.by_span, self.definitions = {}, {}, []
        self.counted = set()
        for node in ast.walk(tree):
            self._enter(node)

    def _enter(self, node):
        for field, value in ast.iter_fields(node):
            if isinstance(value, ast.AST):
                self.parents[value] = (node, field, None)
            elif isinstance(value, list):
                for item in value:
                    if isinstance(item, ast.AST):
                        self.parents[item] = (node, field, value)
        if isinstance(node, _FUNCTIONS + (ast.ClassDef,)):
            self.definitions.append(node)
        if getattr(node, "end_col_offset", None) is not None:
            self.by_span.setdefault(self._span(node), []).append(node)

    def _span(self, node):
        start = self.starts[node.lineno - 1] + node.col_offset
        return start, self.starts[node.end_lineno - 1] + node.end_col_offset

    def place(self, watch):
        """Puts the hooks of a watch into the tree; whether any found its place."""
        spans = [(place["start"], place["end"]) for place in watch.places if place["file"] == self.real]
        put = getattr(self, "_place_" + type(watch).__name__.lower())
        return bool(put(watch, spans))

    # Growth.

    def _place_container(self, watch, spans):
        if self._place_cache(watch, spans[0]):
            return True
        sites = [site for site in (self._site(span) for span in spans) if site]
        named = [site for site in sites if _holder(site[1], watch.name) is not None]
        for node, container in named or sites:
            self._place_site(watch, node, container)
        return bool(sites)

    def _site(self, span):
        """A node that adds to a container, and the expression of that container."""
        for node in self.by_span.get(span, []):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _GROWING:
                is_function = node.func.attr == "heappush" and node.args
                return node, node.args[0] if is_function else node.func.value
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
                if node.func.id in ("setattr", "heappush"):
                    return node, node.args[0]
            if isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Del):
                return node, node.value
            if isinstance(node, (ast.Name, ast.Attribute)) and self._is_extended(node):
                return node, node
        return None

    def _is_extended(self, target):
        """`x += …` and `x = x + …`."""
        statement = self.parents[target][0]
        if isinstance(statement, ast.AugAssign):
            return statement.target is target
        if not isinstance(statement, ast.Assign) or target not in statement.targets:
            return False
        shape = ast.dump(target).replace("Store()", "Load()")
        return isinstance(statement.value, ast.BinOp) and any(
            ast.dump(node) == shape for node in ast.walk(statement.value)
        )

    def _place_site(self, watch, node, container):
        slot = "slot" if self._count_calls(watch, node) else "counted_slot"
        holder = _holder(container, watch.name)
        if holder is not None and holder is not container:
            watch.size = growth.nested_size
        if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "setattr":
            self._replace(container, self._hook(watch, "attributes", [container]))
        elif container is node:
            self._add_after(node, self._container_hook(watch, slot, _loaded(node), node))
        elif holder is None:
            self._replace(container, self._hook(watch, "alias", [container]))
        else:
            self._replace(holder, self._container_hook(watch, slot, holder, holder))

    def _container_hook(self, watch, slot, value, node):
        """The hook that fits how the container is named."""
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            owner = ast.Name(node.value.id, ast.Load())
            return self._hook(watch, "of", [value, owner, ast.Constant(self._mangled(node))])
        return self._hook(watch, slot, [value])

    def _mangled(self, attribute):
        """The name of a private attribute as Python keeps it."""
        name = attribute.attr
        if not name.startswith("__") or name.endswith("__"):
            return name
        around = self._around(attribute, ast.ClassDef)
        stripped = around.name.lstrip("_") if around else ""
        return "_{}{}".format(stripped, name) if stripped else name

    def _place_cache(self, watch, span):
        """Hooks around a cache that a decorator makes."""
        for node in self.by_span.get(span, []):
            function, decorator = self._decorated(node)
            if function is None:
                continue
            index = function.decorator_list.index(decorator)
            hook = self._located(ast.Name(self._name(watch, "cache"), ast.Load()), decorator)
            function.decorator_list.insert(index, hook)
            self._insert_first(function, self._hook(watch, "miss", []))
            return True
        return False

    def _decorated(self, node):
        while node in self.parents:
            parent, field, _ = self.parents[node]
            if field == "decorator_list" and isinstance(parent, _FUNCTIONS):
                return parent, node
            if not isinstance(parent, ast.expr):
                break
            node = parent
        return None, None

    def _place_registry(self, watch, spans):
        found = False
        for node in self.by_span.get(spans[0], []):
            if isinstance(node, ast.Call):
                self._count_calls(watch, node)
                receives = growth.is_of_receiver(watch.symbol) and isinstance(node.func, ast.Attribute)
                if growth.counts_dead_entries(watch.symbol) and node.args and not isinstance(node.args[0], ast.Starred):
                    self._replace(node.args[0], self._hook(watch, "entry", [node.args[0]]))
                if receives:
                    self._replace(node.func.value, self._hook(watch, "handlers", [node.func.value]))
                else:
                    self._replace(node, self._hook(watch, "registered", [node]))
                found = True
        return found

    def _place_listeners(self, watch, spans):
        for node in self.by_span.get(spans[0], []):
            if isinstance(node, ast.Call):
                self._count_calls(watch, node)
                if isinstance(node.func, ast.Attribute):
                    self._replace(node.func.value, self._hook(watch, "emitter", [node.func.value]))
                else:
                    self._replace(node, self._hook(watch, "registered", [node]))
                return True
        return False

    # Resources.

    def _place_resource(self, watch, spans):
        for node in self.by_span.get(spans[0], []):
            if not isinstance(node, ast.Call):
                continue
            parent = self.parents[node][0]
            value = parent if isinstance(parent, ast.Await) else node
            if self.plan.inject:
                self._place_injection(watch, node, spans)
            self._replace(value, self._hook(watch, "acquired", [self._hook(watch, "before", [], value), value]))
            return True
        return False

    def _place_lock(self, watch, spans):
        for node in self.by_span.get(spans[0], []):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                if self.plan.inject:
                    self._place_injection(watch, node, spans)
                self._replace(node.func.value, self._hook(watch, "lock", [node.func.value]))
                return True
        return False

    def _place_generators(self, watch, spans):
        """A hook at the beginning of the loop and one in its `else`, which is where it comes when all is read."""
        at = spans[0][0]
        loops = [node for node in ast.walk(self.tree) if isinstance(node, ast.AsyncFor)]
        loops = [node for node in loops if self._span(node)[0] <= at < self._span(node.body[0])[0]]
        loop = max(loops, key=lambda node: self._span(node)[0], default=None)
        if loop is None:
            return False
        loop.orelse.insert(0, self._located(ast.Expr(self._hook(watch, "exhausted", [], loop)), loop))
        self._replace(loop.iter, self._hook(watch, "iterated", [loop.iter]))
        return True

    def _place_injection(self, watch, acquisition, spans):
        """Raises where the finding says that an exception loses it, else right behind the acquisition."""
        function = self._around(acquisition, _FUNCTIONS)
        is_release = 1 if watch.code in ("LK202", "LK207") else -1
        for index, span in enumerate(spans[1:], 1):
            if index == is_release or span[0] <= spans[0][1]:
                continue
            for node in self.by_span.get(span, []):
                if self._around(node, _FUNCTIONS) is not function:
                    continue
                if isinstance(node, ast.Yield):
                    self._replace(node, self._hook(watch, "second", [node, self._hook(watch, "inject", [], node)]))
                    return
                if isinstance(node, ast.Call):
                    self._replace(node, self._hook(watch, "second", [self._hook(watch, "inject", [], node), node]))
                    return
        following = self._following(acquisition)
        if following is not None:
            self._insert_before(following, self._hook(watch, "inject", []))

    def _following(self, node):
        """The statement that runs after the one that a node is in; the first of its block, if it has one."""
        while not isinstance(node, ast.stmt):
            node = self.parents[node][0]
        siblings = self.parents[node][2] if node in self.parents else None
        index = siblings.index(node) + 1 if siblings else 0
        if not siblings or index >= len(siblings):
            return None
        following = siblings[index]
        while isinstance(following, (ast.Try, ast.With, ast.AsyncWith)):
            following = following.body[0]
        return following

    # Cycles.

    def _place_instances(self, watch, spans):
        definition = self._defined_at(spans[0])
        found = False
        for method in getattr(definition, "body", []):
            hook = {"__init__": "born", "__del__": "finalizing"}.get(getattr(method, "name", None))
            arguments = getattr(method, "args", None)
            if hook and isinstance(method, ast.FunctionDef) and arguments:
                first = (getattr(arguments, "posonlyargs", []) + arguments.args)[:1]
                if first:
                    self._insert_first(method, self._hook(watch, hook, [ast.Name(first[0].arg, ast.Load())]))
                    found = True
        return found

    def _place_births(self, watch, spans):
        definition = self._defined_at(spans[0])
        if definition is None:
            return self._place_referents(watch, spans)
        hook = ast.Name(self._name(watch, "born"), ast.Load())
        definition.decorator_list.append(self._located(hook, definition))
        return True

    def _place_referents(self, watch, spans):
        """What a weak reference is made to."""
        for node in self.by_span.get(spans[0], []):
            if isinstance(node, ast.Call) and node.args and not isinstance(node.args[0], ast.Starred):
                self._replace(node.args[0], self._hook(watch, "born", [node.args[0]]))
                return True
        return False

    def _defined_at(self, span):
        """The function or class whose name stands there."""
        name = self.text[span[0] : span[1]].decode("utf-8")
        around = [
            node
            for node in self.definitions
            if node.name == name and self._span(node)[0] <= span[0] < self._span(node.body[0])[0]
        ]
        return max(around, key=lambda node: self._span(node)[0], default=None)

    def _place_frames(self, watch, spans):
        """A local variable in each function whose frame may be kept."""
        functions = []
        for span in spans:
            for node in self.by_span.get(span, [])[:1]:
                function = self._around(node, _FUNCTIONS)
                if function is not None and function not in functions and not _looks_at_its_names(function):
                    functions.append(function)
        for function in functions:
            target = ast.Name("__unleak_frame_{}__".format(watch.number), ast.Store())
            self._insert_first(function, self._hook(watch, "frame", []), target)
        return functions

    # The tree.

    def _around(self, node, kinds):
        while node in self.parents:
            node = self.parents[node][0]
            if isinstance(node, kinds):
                return node
        return None

    def _count_calls(self, watch, node):
        function = self._around(node, _FUNCTIONS)
        if function is not None and (watch.number, function) not in self.counted:
            self.counted.add((watch.number, function))
            self._insert_first(function, self._hook(watch, "call", []))
        return function is not None

    def _name(self, watch, hook):
        """The name of a hook among the builtins, where it is put."""
        name = "__unleak_{}_{}__".format(watch.number, hook)
        setattr(builtins, name, getattr(watch, "hook_" + hook))
        return name

    def _hook(self, watch, hook, arguments, at=None):
        call = ast.Call(ast.Name(self._name(watch, hook), ast.Load()), arguments, [])
        anchor = at or next((argument for argument in arguments if hasattr(argument, "lineno")), None)
        return self._located(call, anchor) if anchor is not None else call

    def _located(self, node, anchor):
        """Everything in the new node that has no place gets the place of the old one."""
        for part in ast.walk(node):
            if "lineno" in part._attributes and not hasattr(part, "lineno"):
                ast.copy_location(part, anchor)
        return node

    def _replace(self, old, new):
        parent, field, siblings = self.parents[old]
        if siblings is None:
            setattr(parent, field, new)
        else:
            siblings[next(index for index, item in enumerate(siblings) if item is old)] = new
        self.parents[new] = (parent, field, siblings)
        for part in ast.walk(new):
            for child in ast.iter_child_nodes(part):
                if child is old:
                    siblings = part.args if isinstance(part, ast.Call) and old in part.args else None
                    self.parents[old] = (part, "args" if siblings else field, siblings)
                    return

    def _insert_first(self, function, call, target=None):
        index = _index_of_first(function.body)
        anchor = function.body[min(index, len(function.body) - 1)]
        statement = ast.Expr(call) if target is None else ast.Assign([target], call)
        function.body.insert(index, self._located(statement, anchor))

    def _insert_before(self, statement, call):
        siblings = self.parents[statement][2]
        siblings.insert(siblings.index(statement), self._located(ast.Expr(call), statement))

    def _add_after(self, node, call):
        statement = node
        while not isinstance(statement, ast.stmt):
            statement = self.parents[statement][0]
        siblings = self.parents[statement][2]
        siblings.insert(siblings.index(statement) + 1, self._located(ast.Expr(call), node))


def _line_starts(text):
    """Where lines begin, as Python's tokenizer counts them."""
    starts, index = [0], 0
    for line in text.splitlines(keepends=True):
        index += len(line)
        starts.append(index)
    return starts


def _holder(expression, name):
    """The part of an expression that names the container: `self.x` in `self.x[key]`."""
    while True:
        if isinstance(expression, ast.Attribute):
            return expression if expression.attr == name else None
        if isinstance(expression, ast.Name):
            return expression if expression.id == name else None
        if isinstance(expression, ast.Subscript):
            expression = expression.value
        elif isinstance(expression, ast.Call) and isinstance(expression.func, ast.Attribute):
            expression = expression.func.value
        else:
            return None


def _loaded(target):
    """The target of an assignment as an expression."""
    if isinstance(target, ast.Name):
        return ast.Name(target.id, ast.Load())
    return ast.Attribute(target.value, target.attr, ast.Load())


def _looks_at_its_names(function):
    """It would see the variable that is put into it."""
    names = {"locals", "vars", "dir", "eval", "exec"}
    return any(isinstance(node, ast.Name) and node.id in names for node in ast.walk(function))
