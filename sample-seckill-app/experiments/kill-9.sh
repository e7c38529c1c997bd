#!/usr/bin/env bash
# kill -9 of the instance that holds the lock in the middle of an order: the other instance takes over within the ttl,
# and nothing of the killed order is left. Five times. TTL=10 (seconds) is the sample's own; the default here is 3.
source "$(dirname "$0")/common.sh"

ttl=${TTL:-3}
rounds=${ROUNDS:-5}
start survivor "distributed-lock.locks.stock.ttl=${ttl}s" "distributed-lock.locks.stock.wait-time=$((ttl + 20))s"
worst=0
for round in $(seq "$rounds"); do
  # A pause between reading and writing the stock, longer than the experiment.
  start victim "distributed-lock.locks.stock.ttl=${ttl}s" seckill.pause=120s
  open_sale "$survivor_url" 42 10
  buy "$victim_url" 42 killed >"$work/killed.txt" 2>/dev/null &
  await_held "$victim_url"
  (buy "$survivor_url" 42 next && now_ms) >"$work/next.txt" &
  order=$!
  await_waiting "$survivor_url"
  # Anywhere between two renewals.
  sleep "$(awk -v ttl="$ttl" -v seed="$round$$" 'BEGIN { srand(seed); print rand() * ttl / 3 }')"
  killed=$(now_ms)
  kill -9 "$victim_pid"
  wait "$order"
  took=$(($(sed -n 2p "$work/next.txt") - killed))
  ((took > worst)) && worst=$took
  echo "round $round: taken over after $took ms"
  expect "answer to the waiting buyer" 201 "$(head -c 3 "$work/next.txt")"
  sale=$(product "$survivor_url" 42)
  expect "orders" 1 "$(field orders <<<"$sale")"
  expect "stock left" 9 "$(field stock <<<"$sale")"
done
at_most "longest takeover, in ms" $((ttl * 1000 + 100)) "$worst"
finish
