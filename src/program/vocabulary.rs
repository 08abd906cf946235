//! The words that programmers choose, and what each is evidence of.
//!
//! Names are the last evidence, asked only where nothing else is known; all lists stand here, so that a word is found
//! in one place and its meaning is weighed against its neighbours.

pub fn is_class_word(word: &str) -> bool {
    matches!(
        word,
        "cls"
            | "klass"
            | "class"
            | "clz"
            | "model_class"
            | "model_cls"
            | "type"
            | "typ"
            | "tp"
            | "class_name"
            | "cls_name"
            | "type_name"
            | "model"
            | "module"
            | "mod"
    ) || word.ends_with("_class")
        || word.ends_with("_cls")
        || word.ends_with("_type")
        || word.ends_with("_model")
        || word.ends_with("_module")
}

/// What a program has a fixed number of.
pub fn is_bounded_word(word: &str) -> bool {
    matches!(
        word,
        "class"
            | "cls"
            | "type"
            | "types"
            | "kind"
            | "mode"
            | "level"
            | "module"
            | "plugin"
            | "backend"
            | "codec"
            | "encoding"
            | "scheme"
            | "alias"
            | "flag"
            | "option"
            | "setting"
            | "locale"
            | "lang"
            | "language"
            | "dtype"
            | "command"
            | "method"
            | "attr"
            | "attribute"
            | "field"
            | "section"
            | "extension"
            | "ext"
            | "category"
            | "opcode"
            | "platform"
            | "version"
            | "enum"
            | "verb"
            | "protocol"
            | "engine"
            | "driver"
            | "provider"
            | "dialect"
            | "charset"
            | "func"
            | "function"
            | "callback"
            | "fn"
            | "package"
            | "env"
            | "environment"
            | "region"
            | "service"
            | "namespace"
            | "app"
            | "label"
            | "component"
            | "feature"
            | "role"
            | "status"
            | "state"
            | "signal"
            | "param"
            | "parameter"
            | "arg"
            | "property"
            | "prop"
            | "column"
            | "table"
            | "unit"
            | "distro"
            | "loader"
            | "handler"
            | "event"
            | "opt"
            | "ctx"
            | "tag"
            | "converter"
            | "config"
            | "family"
            | "fun"
            | "sig"
            | "signature"
            | "size"
            | "width"
            | "height"
            | "color"
            | "colour"
            | "font"
            | "theme"
            | "style"
            | "bits"
            | "order"
            | "depth"
            | "dim"
            | "ndim"
            | "axis"
            | "shape"
            | "precision"
    )
}

/// What comes and goes while a process runs: identities of sessions, requests, peers.
pub fn is_open_word(word: &str) -> bool {
    matches!(
        word,
        "id" | "uid"
            | "jid"
            | "sid"
            | "uuid"
            | "token"
            | "session"
            | "request"
            | "req"
            | "user"
            | "username"
            | "peer"
            | "addr"
            | "address"
            | "ip"
            | "task"
            | "client"
            | "message"
            | "nonce"
            | "timestamp"
            | "now"
            | "seq"
            | "sequence"
            | "serial"
            | "email"
            | "job"
            | "transaction"
            | "stream"
            | "chat"
            | "room"
            | "ticket"
            | "future"
            | "fut"
    )
}

/// Text that somebody writes, and objects that come and go or stay: often without end, as often from a handful of
/// places in the source.
pub fn is_text_word(word: &str) -> bool {
    matches!(
        word,
        "connection"
            | "conn"
            | "sock"
            | "socket"
            | "query"
            | "sql"
            | "text"
            | "string"
            | "pattern"
            | "expression"
            | "expr"
            | "statement"
            | "stmt"
            | "sentence"
            | "markup"
            | "grammar"
    )
}

/// Objects that hold settings: what is read from them was set once.
pub fn is_settings_word(word: &str) -> bool {
    matches!(
        word.trim_matches('_'),
        "settings"
            | "config"
            | "conf"
            | "cfg"
            | "options"
            | "opts"
            | "args"
            | "CONF"
            | "environ"
            | "env"
            | "params"
            | "flags"
            | "constants"
    )
}

/// What is run to set a process up rather than to serve: by the verbs in use everywhere.
pub fn is_setup_name(name: &str) -> bool {
    const VERBS: &[&str] = &[
        "main",
        "setup",
        "configure",
        "config",
        "install",
        "register",
        "init",
        "initialize",
        "initialise",
        "bootstrap",
        "enable",
        "autodiscover",
        "discover",
        "define",
        "declare",
        "includeme",
        "subscribe",
        "unsubscribe",
        "deregister",
        "unregister",
        "patch",
        "monkeypatch",
        "opt",
        "populate",
        "finalize",
        "use",
        "mount",
        "plug",
        "preload",
        "activate",
    ];
    let name = name.trim_start_matches('_');
    let name = name.strip_prefix("async_").unwrap_or(name);
    let first = name.split('_').next().unwrap_or(name);
    !name.ends_with("_loop") && VERBS.contains(&first) || name.starts_with("add_") && is_definition_suffix(name)
}

/// Functions that are told of something that happened, by the verbs in use everywhere.
pub fn is_event_name(name: &str) -> bool {
    let first = name.trim_start_matches('_').split('_').next().unwrap_or(name);
    matches!(
        first,
        "on" | "handle"
            | "process"
            | "record"
            | "log"
            | "track"
            | "note"
            | "observe"
            | "receive"
            | "emit"
            | "audit"
            | "notify"
            | "publish"
            | "mark"
            | "enqueue"
            | "submit"
            | "dispatch"
            | "report"
            | "visit"
            | "collect"
            | "recv"
            | "feed"
            | "consume"
    )
}

/// What a program does when it starts, also where something else calls it.
pub fn is_startup_name(name: &str) -> bool {
    let name = name.trim_start_matches('_');
    let name = name.strip_prefix("async_").unwrap_or(name);
    let first = name.split('_').next().unwrap_or(name);
    // `main_loop` is a loop, or one turn of it.
    if name.ends_with("_loop") {
        return false;
    }
    matches!(
        first,
        "main"
            | "demo"
            | "setup"
            | "configure"
            | "initialize"
            | "initialise"
            | "bootstrap"
            | "install"
            | "autodiscover"
            | "includeme"
    ) || ["_init", "_init_fn", "_setup", "_startup"].iter().any(|end| name.ends_with(end))
}

pub fn is_definition_suffix(name: &str) -> bool {
    const KINDS: &[&str] = &[
        "handler",
        "type",
        "types",
        "class",
        "codec",
        "command",
        "plugin",
        "plugins",
        "extension",
        "option",
        "options",
        "parser",
        "backend",
        "provider",
        "factory",
        "hook",
        "filter",
        "converter",
        "adapter",
        "rule",
        "representer",
        "constructor",
        "resolver",
        "alias",
        "charset",
        "engine",
        "format",
        "path",
        "namespace",
        "module",
        "dispatch",
        "lexer",
        "formatter",
        "level",
        "middleware",
        "listener",
        "callback",
        "checker",
        "serializer",
        "loader",
        "implementation",
        "scheme",
    ];
    name.rsplit('_').next().is_some_and(|last| KINDS.contains(&last))
}

/// Names that parameters have when they stand for something that is defined rather than made at run time.
pub fn is_definition_name(name: &str) -> bool {
    is_callable_name(name)
        || matches!(
            name.trim_matches('_'),
            "cls"
                | "klass"
                | "class"
                | "clz"
                | "kls"
                | "type"
                | "typ"
                | "tp"
                | "ty"
                | "clazz"
                | "obj_type"
                | "codeobject"
                | "code_object"
                | "codeobj"
                | "code_obj"
        )
}

/// Attributes that give what was defined once: of an object its class, of a function, frame, generator or coroutine its
/// code.
pub fn is_definition_attribute(name: &str) -> bool {
    matches!(
        name,
        "__class__"
            | "__func__"
            | "__code__"
            | "__dict__"
            | "f_code"
            | "func_code"
            | "gi_code"
            | "cr_code"
            | "ag_code"
            | "im_func"
            | "im_class"
    )
}

/// Names that parameters have when they stand for what is called back, or told of what happens.
pub fn is_listener_name(name: &str) -> bool {
    let last = name.trim_matches('_').rsplit('_').next().unwrap_or(name);
    is_callable_name(name)
        || matches!(
            last,
            "callback"
                | "cb"
                | "listener"
                | "handler"
                | "hook"
                | "observer"
                | "subscriber"
                | "slot"
                | "receiver"
                | "watcher"
                | "func"
                | "fn"
                | "fun"
        )
}

/// Names of what holds them.
pub fn is_listener_place(name: &str) -> bool {
    let last = name.trim_matches('_').rsplit('_').next().unwrap_or(name);
    name.trim_matches('_').starts_with("on_")
        || matches!(
            last,
            "callbacks"
                | "listeners"
                | "handlers"
                | "hooks"
                | "observers"
                | "subscribers"
                | "slots"
                | "receivers"
                | "watchers"
                | "subscriptions"
        )
}

/// Names that parameters have when they stand for functions.
pub fn is_callable_name(name: &str) -> bool {
    matches!(
        name.trim_matches('_'),
        "func"
            | "fn"
            | "f"
            | "function"
            | "method"
            | "meth"
            | "callback"
            | "handler"
            | "decorated"
            | "wrapped"
            | "fun"
            | "target"
            | "view"
            | "callable"
            | "coro"
            | "view_func"
    )
}

/// The last word of a name in any style, in lower case: of `HTTPServerPool`, `server_pool`.
pub fn last_word(name: &str) -> String {
    let text = name.trim_end_matches(|c: char| c == '_' || c.is_ascii_digit());
    let start = text
        .char_indices()
        .rev()
        .find(|(at, c)| {
            *c == '_'
                || (c.is_uppercase() && text[..*at].chars().next_back().is_none_or(|before| !before.is_uppercase()))
        })
        .map_or(0, |(at, c)| if c == '_' { at + 1 } else { at });
    text[start..].to_lowercase()
}

/// Classes whose instances serve others for long, by what they are called.
pub fn is_serving_name(name: &str) -> bool {
    matches!(
        last_word(name).as_str(),
        "client"
            | "server"
            | "manager"
            | "pool"
            | "scheduler"
            | "registry"
            | "store"
            | "storage"
            | "cache"
            | "service"
            | "broker"
            | "dispatcher"
            | "router"
            | "bot"
            | "app"
            | "application"
            | "daemon"
            | "monitor"
            | "controller"
            | "coordinator"
            | "hub"
            | "gateway"
            | "supervisor"
            | "engine"
            | "backend"
            | "connection"
            | "transport"
            | "protocol"
            | "channel"
            | "worker"
            | "watcher"
            | "listener"
            | "limiter"
            | "throttler"
            | "throttle"
            | "resolver"
            | "proxy"
            | "cluster"
            | "crawler"
            | "downloader"
            | "bus"
            | "repository"
            | "database"
            | "middleware"
            | "subscriber"
            | "publisher"
            | "consumer"
            | "producer"
            | "reactor"
            | "runtime"
            | "kernel"
            | "agent"
            | "orchestrator"
            | "balancer"
            | "multiplexer"
            | "notifier"
            | "tracer"
            | "adapter"
            | "driver"
            | "executor"
    )
}

/// Classes that a program makes one instance of, by what they are called.
pub fn is_single_name(name: &str) -> bool {
    matches!(
        last_word(name).as_str(),
        "app" | "application" | "backend" | "bot" | "daemon" | "kernel" | "manager" | "plugin" | "reactor" | "server"
    )
}

/// Methods that register the function that they decorate to be called for each request, message or event.
pub fn is_handler_decorator(name: &str) -> bool {
    matches!(
        name,
        "route"
            | "get"
            | "post"
            | "put"
            | "patch"
            | "delete"
            | "websocket"
            | "api_route"
            | "middleware"
            | "before_request"
            | "after_request"
            | "errorhandler"
            | "exception_handler"
            | "tool"
            | "resource"
            | "prompt"
            | "command"
            | "slash_command"
            | "event"
            | "on"
            | "on_event"
            | "on_message"
            | "listen"
            | "listener"
            | "handler"
            | "message_handler"
            | "callback"
            | "callback_query_handler"
            | "call_tool"
            | "list_tools"
            | "subscriber"
            | "consumer"
            | "agent"
            | "connect"
            | "task"
            | "rpc"
    )
}

/// What is open to the outside as long as it lives, or stands for one request, by what it is called.
pub fn is_open_end_name(name: &str) -> bool {
    name != "start_response"
        && matches!(
            last_word(name).as_str(),
            "connection"
                | "conn"
                | "connector"
                | "socket"
                | "sock"
                | "websocket"
                | "ws"
                | "transport"
                | "session"
                | "request"
                | "req"
                | "response"
                | "resp"
                | "environ"
                | "cursor"
        )
}

/// Objects that are kept and used for one thing after the other, by what they are called.
pub fn is_tool_name(name: &str) -> bool {
    matches!(last_word(name).as_str(), "socket" | "sock" | "cursor" | "connector")
}

/// Attributes that hold the one of many objects whose turn it is: `active_program`, `current_span`.
pub fn is_slot_name(name: &str) -> bool {
    let name = name.trim_start_matches('_');
    let first = name.split('_').next().unwrap_or(name);
    name.contains('_') && !name.ends_with('s') && matches!(first, "active" | "current" | "focused" | "selected")
}

/// Variables that say whether, by what they are called.
pub fn is_flag_name(name: &str) -> bool {
    let name = name.trim_start_matches('_');
    let first = name.split('_').next().unwrap_or(name);
    name.contains('_')
        && matches!(
            first,
            "is" | "has"
                | "use"
                | "should"
                | "allow"
                | "enable"
                | "keep"
                | "need"
                | "needs"
                | "no"
                | "start"
                | "new"
                | "num"
                | "max"
                | "min"
                | "with"
                | "can"
                | "unix"
        )
}

/// What an object that serves does for one message, query or caller after the other, by the verbs in use everywhere.
pub fn is_operation_name(name: &str) -> bool {
    let name = name.trim_start_matches('_');
    let name = name.strip_prefix("async_").unwrap_or(name);
    let first = name.split('_').next().unwrap_or(name);
    matches!(
        first,
        "on" | "handle"
            | "match"
            | "dispatch"
            | "serve"
            | "recv"
            | "receive"
            | "send"
            | "request"
            | "wait"
            | "submit"
            | "publish"
            | "emit"
            | "consume"
            | "poll"
            | "fetch"
            | "query"
            | "execute"
            | "search"
            | "log"
            | "encode"
            | "decode"
            | "serialize"
            | "deserialize"
            | "schedule"
            | "write"
            | "read"
            | "resolve"
            | "complete"
            | "acomplete"
    ) || matches!(name, "call__" | "call" | "get" | "gather" | "compute")
}

/// Functions that give what others have as well, by what they are called.
pub fn gives_what_is_shared(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["default", "current", "shared", "global", "singleton", "instance"].iter().any(|word| name.contains(word))
}

/// Types of big blocks of numbers or pixels, by the last part of their names.
pub fn is_block_type(name: &str) -> bool {
    matches!(name, "ndarray" | "DataFrame" | "Series" | "Tensor" | "Image" | "Table" | "RecordBatch" | "memoryview")
}

/// Classes whose instances end with a connection, by what they are called.
pub fn is_connection_name(name: &str) -> bool {
    matches!(
        last_word(name).as_str(),
        "connection" | "conn" | "transport" | "protocol" | "channel" | "session" | "stream" | "peer" | "socket"
    )
}

/// Classes that stand in for others, or serve while somebody looks for a mistake, by what they are called.
pub fn is_stand_in_name(name: &str) -> bool {
    // `MemoryStateStore`, in the place of a database.
    let is_store = || matches!(last_word(name).as_str(), "store" | "storage" | "backend" | "repository" | "database");
    if name.trim_start_matches('_').starts_with("Memory") && is_store() {
        return true;
    }
    let written = name.char_indices().filter(|(_, letter)| *letter != '_');
    // The beginnings of words of their own.
    let mut words = written.enumerate().filter(|(number, (_, first))| *number == 0 || first.is_uppercase());
    words.any(|(_, (at, _))| {
        let letters = || name[at..].chars().filter(|letter| *letter != '_').map(|letter| letter.to_ascii_lowercase());
        ["stub", "mock", "fake", "dummy", "inmemory", "capturing", "debug"]
            .iter()
            .any(|word| letters().take(word.len()).eq(word.chars()))
    })
}

/// Bases of which a framework makes one object and calls it for each request or event.
pub fn is_serving_base(path: &str) -> bool {
    ["Middleware", "Bot", "Server", "Application", "Cog"].iter().any(|word| path.ends_with(word))
}

/// Bases whose instances are made, used and gone.
pub fn is_passing_base(path: &str) -> bool {
    let last = path.rsplit('.').next().unwrap_or(path);
    last.ends_with("Exception")
        || last.ends_with("Error")
        || last.ends_with("Warning")
        || last.ends_with("TestCase")
        || last.ends_with("NodeVisitor")
        || last.ends_with("NodeTransformer")
        || last.ends_with("HTMLParser")
        || last.ends_with("RequestHandler")
        || matches!(path, "ast.NodeVisitor" | "argparse.Action" | "argparse.ArgumentParser" | "cmd.Cmd")
}

/// Calls that hand an object to whoever keeps it.
pub fn is_registering_name(name: &str) -> bool {
    let name = name.trim_start_matches('_');
    let first = name.split('_').next().unwrap_or(name);
    matches!(first, "register" | "add" | "install" | "mount" | "include" | "attach" | "use" | "set" | "bind")
}

/// Calls that keep a callable to call it back later.
pub fn is_calling_back_name(name: &str) -> bool {
    let name = name.trim_start_matches('_');
    let words: Vec<&str> = name.split('_').collect();
    let has = |word: &str| words.contains(&word);
    matches!(
        name,
        "connect"
            | "Thread"
            | "Timer"
            | "PeriodicCallback"
            | "LoopingCall"
            | "subscribe"
            | "register"
            | "create_task"
            | "ensure_future"
            | "schedule"
            | "observe"
            | "listen"
            | "call_later"
            | "callLater"
            | "start_server"
            | "addListener"
            | "addObserver"
            | "on"
            | "bind"
    ) || has("listener")
        || has("listen")
        || has("handler")
        || has("callback")
        || has("observer")
        || has("subscriber")
        || has("hook")
        || has("job")
        || has("subscribe")
        || has("looping")
        || has("periodic")
        || has("interval")
        || has("route")
        || (has("register") && words.len() > 1)
}

/// Methods that run once in an object's life, at its beginning.
pub fn is_beginning_name(name: &str) -> bool {
    let name = name.trim_start_matches('_');
    let name = name.strip_prefix("async_").unwrap_or(name);
    matches!(
        name,
        "init__"
            | "new__"
            | "post_init__"
            | "attrs_post_init__"
            | "enter__"
            | "aenter__"
            | "start"
            | "open"
            | "run"
            | "serve"
            | "serve_forever"
            | "launch"
            | "boot"
            | "begin"
            | "setup"
            | "set_up"
            | "setUp"
            | "init"
            | "initialize"
            | "initialise"
            | "startup"
            | "configure"
            | "connection_made"
    ) || name.starts_with("setup_")
        || name.starts_with("init_")
        || name.starts_with("load_")
}

/// Methods that run once in an object's life, at its end.
pub fn is_ending_name(name: &str) -> bool {
    let name = name.trim_start_matches('_');
    let name = name.strip_prefix("async_").unwrap_or(name);
    let first = name.split('_').next().unwrap_or(name);
    matches!(
        first,
        "close"
            | "aclose"
            | "stop"
            | "shutdown"
            | "terminate"
            | "exit"
            | "aexit"
            | "del"
            | "dispose"
            | "destroy"
            | "teardown"
            | "quit"
            | "kill"
            | "unload"
            | "finalize"
    ) || matches!(
        name,
        "shut_down" | "tear_down" | "tearDown" | "connection_lost" | "on_close" | "on_shutdown" | "on_stop"
    )
}

/// Methods that give up all that is still waited for: `fail_all`, `_abort_pending`, `on_disconnect`.
pub fn is_failing_name(name: &str) -> bool {
    is_ending_name(name)
        || name
            .split('_')
            .any(|word| matches!(word, "fail" | "abort" | "reject" | "disconnect" | "disconnected" | "lost"))
}

/// Methods that start an object afresh.
pub fn is_resetting_name(name: &str) -> bool {
    let name = name.trim_start_matches('_');
    let first = name.split('_').next().unwrap_or(name);
    matches!(first, "reset" | "clear" | "reinit" | "restart" | "reconnect" | "disconnect")
}

/// Parts of an address, which each peer or request has its own of.
pub fn is_address_word(name: &str) -> bool {
    matches!(
        name,
        "domain" | "hostname" | "host" | "netloc" | "path" | "url" | "uri" | "ip" | "port" | "addr" | "address"
    )
}

/// What exists for one piece of work and is over when that is: each has another identity.
pub fn is_passing_word(word: &str) -> bool {
    matches!(
        word,
        "session"
            | "request"
            | "req"
            | "message"
            | "msg"
            | "stream"
            | "ticket"
            | "transaction"
            | "txn"
            | "trace"
            | "span"
            | "correlation"
            | "corr"
            | "chat"
            | "room"
            | "conversation"
            | "job"
            | "run"
            | "call"
            | "stimulus"
            | "upload"
            | "download"
            | "subscription"
            | "invocation"
            | "execution"
            | "webhook"
            | "task"
            | "future"
            | "fut"
            | "reply"
            | "response"
            | "packet"
            | "visitor"
            | "user"
            | "customer"
            | "order"
            | "client"
            | "connection"
            | "conn"
            | "waiter"
    )
}

/// The parts of a request in which whoever asks writes what he wants, by names in use in web frameworks.
pub fn is_input_word(word: &str) -> bool {
    matches!(
        word,
        "args"
            | "form"
            | "GET"
            | "POST"
            | "query"
            | "query_params"
            | "path_params"
            | "match_info"
            | "matchdict"
            | "params"
            | "cookies"
            | "headers"
            | "values"
            | "json"
            | "data"
    )
}

/// What a message carries.
pub fn is_payload_word(word: &str) -> bool {
    matches!(
        word,
        "data" | "payload" | "packet" | "message" | "msg" | "event" | "frame" | "body" | "request" | "update"
    )
}

/// Calls that take what they are given out of a table.
pub fn is_taking_out_name(name: &str) -> bool {
    let name = name.trim_start_matches('_');
    let first = name.split('_').next().unwrap_or(name);
    first.starts_with("un")
        || first.starts_with("deregister")
        || matches!(first, "discard" | "remove" | "forget" | "off")
}

/// What lets one or a few in at a time: `_lock`, `read_mutex`, `slots_semaphore`.
pub fn is_lock_name(name: &str) -> bool {
    matches!(last_word(name).as_str(), "lock" | "mutex" | "semaphore" | "sem" | "sema" | "limiter")
}

/// Methods that make an object what it is, whoever calls them again.
pub fn is_making_name(name: &str) -> bool {
    matches!(name, "__init__" | "__new__" | "__post_init__" | "__attrs_post_init__" | "setUp")
}

/// What gives something new each time: a class, `create_client`, `self._session_factory`, `self._sessionFactory`.
pub fn is_factory_name(name: &str) -> bool {
    let name = name.trim_start_matches('_');
    let first = name.split('_').next().unwrap_or(name);
    name.starts_with(char::is_uppercase)
        || name.ends_with("factory")
        || name.ends_with("Factory")
        || matches!(first, "create" | "make" | "new" | "build" | "open")
}

/// Methods by which users of an object tell it what to work with, before it works.
pub fn is_arranging_name(name: &str) -> bool {
    let first = name.split('_').next().unwrap_or(name);
    matches!(
        first,
        "add"
            | "aadd"
            | "register"
            | "declare"
            | "set"
            | "insert"
            | "include"
            | "attach"
            | "mount"
            | "define"
            | "append"
            | "with"
    )
}

/// An identity that a program only ever meets fresh.
pub fn is_fresh_word(word: &str) -> bool {
    matches!(word, "sid" | "nonce" | "timestamp" | "ip" | "username" | "nick" | "nickname" | "email" | "jti")
}

/// Whether the reason for an open domain is that somebody is named: "`user`, part of what comes in".
pub fn is_of_person(why: &str) -> bool {
    let word = why.trim_start_matches('`').split('`').next().unwrap_or_default();
    matches!(word.rsplit('_').next().unwrap_or(word), "user" | "username" | "owner" | "author" | "email" | "member")
}

/// What something is called: as many as were given names.
pub fn is_naming_word(word: &str) -> bool {
    match word.rsplit_once('_') {
        Some((_, last)) => matches!(last, "name" | "names" | "type" | "kind"),
        None => matches!(word, "queue" | "topic" | "group" | "role" | "target" | "action"),
    }
}

/// Methods that go on for as long as their object does.
pub fn is_running_name(name: &str) -> bool {
    name.split('_').any(|word| {
        matches!(
            word,
            "run"
                | "loop"
                | "serve"
                | "forever"
                | "listen"
                | "listener"
                | "main"
                | "worker"
                | "work"
                | "poll"
                | "poller"
                | "watch"
                | "watcher"
                | "monitor"
                | "daemon"
                | "start"
                | "consume"
                | "consumer"
                | "dispatch"
                | "receive"
                | "receiver"
                | "reader"
                | "thread"
                | "task"
                | "background"
                | "process"
                | "heartbeat"
                | "schedule"
                | "scheduler"
        )
    })
}

/// Flags that are true for as long as the work of an object goes on.
pub fn is_going_on_name(name: &str) -> bool {
    let words = ["running", "run", "alive", "active", "open", "connected", "started", "going", "keep", "enabled"];
    name.split('_').any(|word| words.contains(&word))
}

/// Flags that tell the work of an object to end.
pub fn is_end_flag_name(name: &str) -> bool {
    let words = [
        "stop",
        "stopped",
        "stopping",
        "closed",
        "closing",
        "close",
        "done",
        "finished",
        "exit",
        "exiting",
        "shutdown",
        "quit",
        "cancelled",
        "canceled",
        "cancel",
        "ended",
        "end",
        "terminated",
        "terminate",
        "dead",
        "event",
        "halt",
        "stopevent",
    ];
    name.to_ascii_lowercase().split('_').any(|word| words.contains(&word))
}

/// Of these flags, those that somebody else sets: `self._running`, and not `self.open` of what ends by itself.
pub fn is_work_flag_name(name: &str) -> bool {
    name.split('_').any(|word| matches!(word, "running" | "run" | "alive" | "active" | "keep" | "going"))
}

/// The same: `self._stopped`, and not `self.done` of what is done when all has come.
pub fn is_stop_flag_name(name: &str) -> bool {
    name.to_ascii_lowercase().split('_').any(|word| {
        matches!(
            word,
            "stop"
                | "stopped"
                | "stopping"
                | "stopevent"
                | "closed"
                | "closing"
                | "exit"
                | "exiting"
                | "shutdown"
                | "quit"
                | "terminated"
                | "terminate"
                | "halt"
        )
    })
}

/// Of these flags, those that say that the end has begun, and not that it is over: `_shutting_down`, `stopping`.
pub fn is_ending_flag_name(name: &str) -> bool {
    name.to_ascii_lowercase().split('_').any(|word| {
        matches!(
            word,
            "shutdown" | "shutting" | "closing" | "stopping" | "exiting" | "quitting" | "terminating" | "finalizing"
        )
    })
}

/// Calls that run a callable once, beside the caller.
pub fn is_starting_name(name: &str) -> bool {
    matches!(
        name,
        "Thread"
            | "Timer"
            | "Process"
            | "create_task"
            | "ensure_future"
            | "call_later"
            | "callLater"
            | "call_soon"
            | "submit"
    )
}

/// Things that an installation has: as many as there are.
pub fn is_inventory_word(word: &str) -> bool {
    matches!(
        word,
        "device"
            | "dev"
            | "entity"
            | "node"
            | "zone"
            | "player"
            | "sensor"
            | "unit"
            | "system"
            | "shard"
            | "module"
            | "mod"
            | "plugin"
            | "area"
            | "floor"
            | "hub"
            | "bridge"
            | "gateway"
            | "account"
            | "home"
            | "house"
            | "station"
            | "printer"
            | "camera"
            | "light"
            | "switch"
            | "scene"
            | "feature"
            | "register"
            | "slot"
            | "pin"
            | "disk"
            | "interface"
            | "vlan"
            | "router"
            | "port"
            | "worker"
            | "process"
            | "thread"
            | "cluster"
            | "rank"
            | "layer"
            | "partition"
            | "shelf"
            | "component"
            | "model"
            | "group"
            | "category"
            | "mac"
            | "repo"
    )
}

/// Names that say nothing of what they stand for.
pub fn is_placeholder_word(name: &str) -> bool {
    name.len() < 3
        || matches!(
            name,
            "filename"
                | "file"
                | "module"
                | "lineno"
                | "key"
                | "name"
                | "item"
                | "value"
                | "index"
                | "idx"
                | "obj"
                | "object"
                | "arg"
                | "elem"
                | "element"
                | "entry"
                | "path"
                | "node"
                | "val"
                | "type"
                | "data"
                | "result"
                | "other"
                | "self"
                | "cls"
        )
}

/// Functions that something else calls with what has just happened.
pub fn is_told_name(name: &str) -> bool {
    let first = name.trim_start_matches('_').split('_').next().unwrap_or(name);
    matches!(first, "on" | "handle" | "receive" | "recv" | "notify" | "consume")
}

/// Words that are things where they stand before a number, and deeds where they stand alone.
pub fn is_deed_word(word: &str) -> bool {
    matches!(word, "run" | "call" | "upload" | "download" | "order")
}

/// Methods that the objects of well-known libraries have: a call of one on an object of unknown type is theirs.
pub fn is_library_method(name: &str) -> bool {
    matches!(
        name,
        "step"
            | "forward"
            | "backward"
            | "train"
            | "eval"
            | "fit"
            | "predict"
            | "transform"
            | "execute"
            | "executemany"
            | "commit"
            | "rollback"
            | "fetch"
            | "fetchone"
            | "fetchall"
            | "fetchmany"
            | "cursor"
            | "send"
            | "recv"
            | "sendall"
            | "connect"
            | "acquire"
            | "release"
            | "wait"
            | "notify"
            | "submit"
            | "map"
            | "result"
            | "cancel"
            | "done"
            | "search"
            | "match"
            | "sub"
            | "group"
            | "groups"
            | "debug"
            | "info"
            | "warning"
            | "error"
            | "exception"
            | "critical"
            | "log"
            | "head"
            | "post"
            | "delete"
            | "patch"
            | "request"
            | "json"
            | "text"
            | "query"
            | "filter"
            | "all"
            | "first"
            | "one"
            | "apply"
            | "sum"
            | "mean"
            | "max"
            | "min"
            | "reshape"
            | "to"
            | "save"
            | "load"
            | "open"
            | "next"
    )
}

/// A measure of something: a number that a configuration or a shape gives, whatever it counts.
pub fn is_measure_name(name: &str) -> bool {
    let name = name.trim_matches('_');
    let first = name.split('_').next().unwrap_or(name);
    let last = name.rsplit('_').next().unwrap_or(name);
    let counts = first != name && matches!(first, "num" | "n" | "max" | "min" | "nb");
    counts
        || name.contains("_per_")
        || first != name && matches!(last, "size" | "dim" | "dims" | "count" | "shape" | "width" | "height")
}
