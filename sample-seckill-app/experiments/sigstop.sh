#!/usr/bin/env bash
# A process that is stopped in the middle of an order for longer than its ttl, and goes on later: the lock has gone to
# another instance meanwhile, and the late write is refused by the database, since its fencing token is stale.
source "$(dirname "$0")/common.sh"

ttl=2
start paused "distributed-lock.locks.stock.ttl=${ttl}s" seckill.pause=1s
start other "distributed-lock.locks.stock.ttl=${ttl}s" "distributed-lock.locks.stock.wait-time=20s"
open_sale "$other_url" 42 10
buy "$paused_url" 42 late >"$work/late.txt" &
late=$!
await_held "$paused_url"
stopped=$(now_ms)
kill -STOP "$paused_pid"
answer=$(buy "$other_url" 42 quick)
echo "stopped; the other instance has the lock after $(($(now_ms) - stopped)) ms: $answer"
expect "answer to the other buyer" 201 "${answer%% *}"
token=$(field token <<<"$answer")
kill -CONT "$paused_pid"
wait "$late"
echo "continued; its answer: $(cat "$work/late.txt")"
expect "answer to the stopped buyer" 409 "$(head -c 3 "$work/late.txt")"
expect "reason" "urn:seckill:stale-token" "$(field type <"$work/late.txt")"
expect "the database has seen the other's token" 1 "$(grep -c "$token has been seen" "$work/late.txt")"
sale=$(product "$other_url" 42)
expect "orders" 1 "$(field orders <<<"$sale")"
expect "stock left" 9 "$(field stock <<<"$sale")"
finish
