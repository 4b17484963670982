# ./run soak: long runs against the promises of docs/trust.md. Sourced by ./run.

run_soak() {
    local stack=
    [[ " $* " != *" postgresql "* && " $* " != *" --db=postgresql "* ]] || stack=stack
    ensure_python dev
    ensure_packages runtime $stack
    cd "$ROOT"
    unset DATABASE_URL REDIS_URL
    [[ -z $stack ]] || start_stack >&2
    attend "$PY" -m tests.soak "$@"
}
