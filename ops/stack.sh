# PostgreSQL and Redis of one's own, gone at the end: for ./run demo --stack, ./run check and tests. Sourced by ./run.
# PostgreSQL listens on a Unix socket in a private folder only, Redis on a free loopback port.

postgres_bin() {
    local newest
    newest=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
    [[ -n $newest ]] || newest=$(pg_config --bindir 2>/dev/null) || newest=$(dirname "$(command -v postgres)")
    printf '%s\n' "$newest"
}

free_port() {
    "$PY" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# Sets DATABASE_URL and REDIS_URL to servers that answer.
start_stack() {
    local dir port
    new_scratch stack
    dir=$NEW_SCRATCH
    start_postgres "$dir"
    port=$(free_port)
    start_server redis redis-server --port "$port" --bind 127.0.0.1 --save '' --appendonly no --dir "$dir" \
        --logfile "$dir/redis.log"
    wait_until redis "$dir/redis.log" redis-cli -p "$port" ping
    export DATABASE_URL="postgres://postgres@/clearline?host=$dir" REDIS_URL="redis://127.0.0.1:$port/0"
}

start_postgres() {
    local dir=$1 bin as=()
    bin=$(postgres_bin)
    if is_root; then # PostgreSQL refuses to run as root
        chown postgres "$dir"
        as=(setpriv --reuid=postgres --regid=postgres --clear-groups --pdeathsig INT)
    fi
    (cd "$dir" && "${as[@]}" "$bin/initdb" --pgdata="$dir/data" --username=postgres --auth=trust --no-sync \
        --encoding=UTF8 --locale=C.UTF-8 >"$dir/initdb.log" 2>&1) || { cat "$dir/initdb.log" >&2; stop "initdb failed."; }
    start_server postgres "${as[@]}" "$bin/postgres" -D "$dir/data" -c listen_addresses= \
        -c unix_socket_directories="$dir" -c fsync=off -c full_page_writes=off >"$dir/postgres.log" 2>&1
    wait_until postgres "$dir/postgres.log" "$bin/pg_isready" --quiet --host="$dir"
    "$bin/createdb" --host="$dir" --username=postgres clearline
}

# wait_until NAME LOG COMMAND...: the server answers, or this shows its log and stops.
wait_until() {
    local name=$1 log=$2 try
    shift 2
    for try in {1..300}; do
        "$@" >/dev/null 2>&1 && return
        kill -0 "$LAUNCHED" 2>/dev/null || break
        sleep 0.1
    done
    cat "$log" >&2
    stop "$name did not start."
}
