#!/usr/bin/env bash
# Two instances, 2,000 users who click twice, 100 items, 64 requests at the same time: with the lock exactly 100 orders,
# nobody twice, three times in a row; without the lock far more. An argument names the store: redis (the default), jdbc,
# etcd, zookeeper or redlock.
source "$(dirname "$0")/common.sh"

run() { # LOCK : prints the result
  local id
  id=$(curl -sS --fail-with-body -X POST -H 'Content-Type: application/json' "$one_url/api/runs" -d "{\"productId\":\"42\",
    \"stock\":100,\"users\":2000,\"concurrency\":64,\"clicks\":2,\"lock\":$1,\"targets\":[\"$one_url\",\"$two_url\"]}" | field id)
  curl -sSN -H 'Accept: text/event-stream' "$one_url/api/runs/$id" | sed -n '/^event:result/{n;s/^data://p}'
}

show() {
  local name
  for name in orders oversold buyersTwice; do printf "%s %s, " "$name" "$(field "$name" <<<"${1##*\"product\":}")"; done
  for name in BUSY STALE FAILED perSecond p50 p99; do printf "%s %s, " "$name" "$(field "$name" <<<"$1")"; done
  echo
}

store=${1:-redis}
start one "distributed-lock.store=$store"
start two "distributed-lock.store=$store"
for number in 1 2 3; do
  result=$(run true)
  sale=${result##*\"product\":}
  echo "run $number with the lock: $(show "$result")"
  expect "orders" 100 "$(field orders <<<"$sale")"
  expect "stock left" 0 "$(field stock <<<"$sale")"
  expect "users who got two" 0 "$(field buyersTwice <<<"$sale")"
  expect "failed requests" 0 "$(field FAILED <<<"$result")"
done
result=$(run false)
sale=${result##*\"product\":}
echo "run 4 without the lock: $(show "$result")"
oversold=$(field oversold <<<"$sale")
((oversold > 0)) && echo "  ok    it oversold" || { echo "  WRONG it did not oversell"; wrong=1; }
finish
