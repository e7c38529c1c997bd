#!/usr/bin/env bash
# Builds the benchmarks and runs them; see docs/benchmarks.md. Results go to lock-benchmarks/target/benchmarks.
#
#   lock-benchmarks/run.sh smoke [options]        about 40 s; fails on a violation, an error, or if nothing was done
#   lock-benchmarks/run.sh quick [options]        below 5 minutes: where things stand
#   lock-benchmarks/run.sh goals [options]        about an hour: what the goals need, five rounds
#   lock-benchmarks/run.sh stores [options]       half an hour: all stores, and peers on the same servers
#   lock-benchmarks/run.sh full [options]         more than two hours: all peers and scenarios on Redis
#   lock-benchmarks/run.sh jmh short | full [PATTERN...]      measure the costs within one JVM
#   lock-benchmarks/run.sh batch                              1,000 locks at once over a round trip of 5 ms
#   lock-benchmarks/run.sh transfers [ROUNDS [WARMUP [SECONDS]]]   two locks a transfer, against Redisson's MultiLock
#   lock-benchmarks/run.sh readers [ROUNDS [WARMUP [SECONDS]]]     readers and writers, against Redisson's RReadWriteLock
#   lock-benchmarks/run.sh deadlock [RUNS]                         time to find a deadlock over three JVMs
#   lock-benchmarks/run.sh report FILE...                     print tables and goals of earlier runs
#   lock-benchmarks/run.sh docs [FILE...]                     write tables and charts of docs/benchmarks.md
#
# Without arguments it tells all options. BENCH_SKIP_BUILD=1 takes what was built before.
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")"
if [[ ${BENCH_SKIP_BUILD:-} != 1 ]]; then
  (cd .. && mvn -B -q -pl lock-benchmarks -am -DskipTests -Dmaven.javadoc.skip=true package)
fi
java=java
[[ -z ${JAVA_HOME:-} ]] || java=$JAVA_HOME/bin/java
if [[ ${1:-} == jmh ]]; then
  shift
  exec "$java" -cp "target/classes:target/lib/*" io.distributedlock.benchmarks.jmh.JmhMain "$@"
fi
if [[ ${1:-} == docs ]]; then
  shift
  if (($# == 0)); then
    runs=target/benchmarks/full.json
    [[ -e $runs ]] || runs=target/benchmarks/goals.json
    for file in "$runs" target/benchmarks/{virtual,jmh-full,stores}.json; do
      [[ ! -e $file ]] || set -- "$@" "$file"
    done
  fi
  exec "$java" -cp "target/classes:target/lib/*" io.distributedlock.benchmarks.docs.DocsMain ../docs/benchmarks.md "$@"
fi
if [[ ${1:-} == batch ]]; then
  exec "$java" -cp "target/classes:target/lib/*" io.distributedlock.benchmarks.several.BatchMain
fi
if [[ ${1:-} == transfers ]]; then
  shift
  exec "$java" -cp "target/classes:target/lib/*" io.distributedlock.benchmarks.several.TransfersMain "$@"
fi
if [[ ${1:-} == readers ]]; then
  shift
  exec "$java" -cp "target/classes:target/lib/*" io.distributedlock.benchmarks.several.ReadersMain "$@"
fi
if [[ ${1:-} == deadlock ]]; then
  shift
  exec "$java" -cp "target/classes:target/lib/*" io.distributedlock.benchmarks.several.DeadlockMain "$@"
fi
exec "$java" -cp "target/classes:target/lib/*" io.distributedlock.benchmarks.Benchmarks "$@"
