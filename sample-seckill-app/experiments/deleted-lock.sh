#!/usr/bin/env bash
# The lock of a running order is deleted in Redis behind its back: the instance is told within one renewal interval, the
# order's transaction is rolled back, and lock.lost counts one.
source "$(dirname "$0")/common.sh"

ttl=3
start one "distributed-lock.locks.stock.ttl=${ttl}s" seckill.pause=4s
open_sale "$one_url" 42 10
buy "$one_url" 42 robbed >"$work/robbed.txt" &
order=$!
await_held "$one_url"
exec 3<>"/dev/tcp/127.0.0.1/$(<"$work/servers/redis/port")"
printf 'AUTH %s\r\nDEL lock:l:stock:42\r\nQUIT\r\n' "$(<"$work/servers/redis/password")" >&3
deleted=$(now_ms)
answer=$(tr -d '\r' <&3 | tr '\n' ' ')
exec 3>&-
expect "Redis" "+OK :1 +OK " "$answer"
lost() { curl -sS "$one_url/actuator/prometheus" | sed -n 's/^lock_lost_total{.*lock_name="stock".*} \([0-9]*\).*/\1/p' | awk '{ sum += $1 } END { print sum + 0 }'; }
for _ in $(seq 400); do
  [[ $(lost) == 1 ]] && break
  sleep 0.02
done
at_most "told after ms (renewal interval $((ttl * 1000 / 3)))" $((ttl * 1000 / 3 + 200)) $(($(now_ms) - deleted))
wait "$order"
echo "its answer: $(cat "$work/robbed.txt")"
expect "answer" 409 "$(head -c 3 "$work/robbed.txt")"
expect "reason" "urn:seckill:lock-lost" "$(field type <"$work/robbed.txt")"
expect "lock.lost" 1 "$(lost)"
sale=$(product "$one_url" 42)
expect "orders" 0 "$(field orders <<<"$sale")"
expect "stock left" 10 "$(field stock <<<"$sale")"
finish
