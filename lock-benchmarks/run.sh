#!/usr/bin/env bash
# Builds the benchmarks and runs them: lock-benchmarks/run.sh quick | full | smoke | report FILE... ; without arguments it
# tells all options. jmh short | full [PATTERN...] measures the costs within one JVM. BENCH_SKIP_BUILD=1 takes what was built before. Results go to lock-benchmarks/target/benchmarks.
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
exec "$java" -cp "target/classes:target/lib/*" io.distributedlock.benchmarks.Benchmarks "$@"
