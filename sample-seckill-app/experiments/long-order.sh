#!/usr/bin/env bash
# An order that takes three times its ttl is renewed and never overlapped: the next buyer's order is made after it.
source "$(dirname "$0")/common.sh"

ttl=1
start slow "distributed-lock.locks.stock.ttl=${ttl}s" seckill.pause=3s
start other "distributed-lock.locks.stock.ttl=${ttl}s" "distributed-lock.locks.stock.wait-time=20s"
open_sale "$other_url" 42 10
(buy "$slow_url" 42 first && now_ms) >"$work/first.txt" &
first=$!
await_held "$slow_url"
(buy "$other_url" 42 second && now_ms) >"$work/second.txt" &
second=$!
wait "$first" "$second"
first_ended=$(sed -n 2p "$work/first.txt")
second_ended=$(sed -n 2p "$work/second.txt")
expect "answer to the first buyer" 201 "$(head -c 3 "$work/first.txt")"
expect "answer to the second buyer" 201 "$(head -c 3 "$work/second.txt")"
echo "the second order was answered $((second_ended - first_ended)) ms after the first"
expect "the second token is higher" 1 "$(($(sed -n 1p "$work/second.txt" | field token) > $(sed -n 1p "$work/first.txt" | field token)))"
sale=$(product "$other_url" 42)
expect "orders" 2 "$(field orders <<<"$sale")"
expect "stock left" 8 "$(field stock <<<"$sale")"
finish
