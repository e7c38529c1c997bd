# What the experiments share. Needs bash, curl and a JDK; sourced, not run.
#
# Instances run from target/sample-seckill-app-exec.jar on free ports, with embedded servers of their own in
# target/experiments: a sample that runs at the same time is not disturbed. All is stopped at the end.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$here/target/experiments
jar=$here/target/sample-seckill-app-exec.jar
java=${JAVA_HOME:+$JAVA_HOME/bin/}java
pids=()
mkdir -p "$work"

if [[ ! -f $jar ]]; then
  echo "Building $jar ..."
  (cd "$here/.." && mvn -B -q -pl sample-seckill-app -am -DskipTests -Dmaven.javadoc.skip=true package)
fi

stop_all() {
  local pid
  for pid in "${pids[@]}"; do
    kill -CONT "$pid" 2>/dev/null || true
    kill "$pid" 2>/dev/null || true
  done
  for pid in "${pids[@]}"; do
    wait "$pid" 2>/dev/null || true
  done
}
trap stop_all EXIT

# start NAME PROPERTY... : starts an instance and waits until it answers; sets NAME_url and NAME_pid.
start() {
  local name=$1 log=$work/$1.log port
  shift
  "$java" -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -jar "$jar" --server.port=0 --seckill.servers.directory="$work/servers" --seckill.servers.redis-port=0 \
    --seckill.servers.postgres-port=0 --seckill.servers.etcd-port=0 --seckill.servers.zookeeper-port=0 --seckill.servers.redlock-port=0 \
    "${@/#/--}" >"$log" 2>&1 &
  pids+=($!)
  declare -g "${name}_pid=$!"
  for _ in $(seq 1200); do
    port=$(sed -n 's/.*Tomcat started on port \([0-9]*\).*/\1/p' "$log")
    if [[ -n $port ]] && grep -q 'Started SeckillApplication' "$log"; then
      declare -g "${name}_url=http://127.0.0.1:$port"
      echo "instance $name: process ${pids[-1]}, http://127.0.0.1:$port ${*}"
      return 0
    fi
    kill -0 "${pids[-1]}" 2>/dev/null || break
    sleep 0.1
  done
  tail -n 30 "$log" >&2
  echo "Instance $name did not start; see $log" >&2
  exit 1
}

# field NAME : reads JSON from standard input and prints the first value of that name.
field() { { grep -o "\"$1\":[^,}]*" || true; } | head -n 1 | sed "s/^[^:]*://" | tr -d '"]'; }

now_ms() { echo $(($(date +%s%N) / 1000000)); }

open_sale() { # URL PRODUCT STOCK
  curl -sS --fail-with-body -X PUT -H 'Content-Type: application/json' -d "{\"stock\":$3}" "$1/api/products/$2" >/dev/null
}

product() { curl -sS "$1/api/products/$2"; }

# buy URL PRODUCT USER : prints the status, a blank and the body.
buy() {
  curl -sS --max-time 120 -X POST -H 'Content-Type: application/json' -d "{\"userId\":\"$3\"}" -w '\n%{http_code}\n' \
    "$1/api/products/$2/orders" | { local body status; IFS= read -r body; IFS= read -r status; echo "$status $body"; }
}

await_held() { # URL : waits until that instance holds a lock
  for _ in $(seq 400); do
    [[ $(curl -sS "$1/actuator/locks" | field heldCount) == 1 ]] && return 0
    sleep 0.025
  done
  echo "The instance at $1 holds no lock" >&2
  exit 1
}

await_waiting() { # URL : waits until a caller of that instance waits for a lock
  for _ in $(seq 400); do
    [[ $(curl -sS "$1/actuator/locks" | field waitingCount) == 1 ]] && return 0
    sleep 0.025
  done
  echo "Nobody waits at $1" >&2
  exit 1
}

expect() { # WHAT EXPECTED ACTUAL
  if [[ $2 == "$3" ]]; then
    echo "  ok    $1: $3"
  else
    echo "  WRONG $1: $3, expected $2"
    wrong=1
  fi
}

at_most() { # WHAT LIMIT ACTUAL
  if (($3 <= $2)); then
    echo "  ok    $1: $3, at most $2"
  else
    echo "  WRONG $1: $3, more than $2"
    wrong=1
  fi
}

wrong=0
finish() {
  ((wrong == 0)) && echo "As it should be." || echo "NOT as it should be."
  exit "$wrong"
}
