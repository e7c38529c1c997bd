#!/usr/bin/env bash
# Checks the protocol models in this folder with Spin.
#
#   run.sh [quick|full]     quick (default): every must-fail row, and the must-pass rows that take seconds
#                           full: all rows
#
# Needs spin and gcc (Debian: apt-get install spin gcc). At most two rows run at a time.
# Exit code 0: every must-pass row is free of errors and was searched exhaustively, and every must-fail row fails in
# the way it should. A planted bug that is not caught means that the model no longer checks what it says.
set -u -o pipefail

mode=${1:-quick}
case $mode in
  quick | full) ;;
  *) echo "usage: $0 [quick|full]" >&2; exit 2 ;;
esac
for tool in spin gcc; do
  if ! command -v "$tool" >/dev/null; then
    echo "$tool is missing. On Debian or Ubuntu: apt-get install spin gcc" >&2
    exit 2
  fi
done

models=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/lock-model.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# speed | expected | model | kind | switches | states | what
# kind: S = assertions; L:NAME = the LTL property NAME under weak fairness; A:NAME = the LTL property NAME without fairness.
# states: those stored (with fairness: before its factor) when the row was last measured; for must-fail rows, until
# the first violation.
rows() {
  cat <<'ROWS'
full |pass|handoff|S   ||6933941|1, 2 (per JVM), 3, 6, 7
full |pass|handoff|S   |-DTIMELY=1|7536455|1, 2, 3, 4, 6, 7
full |pass|handoff|S   |-DDELAY|7661007|1, 2 (per JVM), 3, 6, 7; late requests
quick|pass|handoff|S   |-DNJ=3 -DNT=1 -DB=1|385803|three JVMs: 1, 2 (per JVM), 3, 6, 7
quick|pass|handoff|S   |-DNJ=3 -DNT=1 -DB=1 -DTIMELY=1|370542|three JVMs: 1, 2, 3, 4, 6, 7
quick|pass|handoff|S   |-DNT=1 -DR=2 -DLOSS=2 -DTIMELY=1|439821|two losses: 1, 2, 3, 4, 6, 7
full |pass|handoff|S   |-DTIMELY=1 -DR=2 -DLOSS=0 -DKILLS=0 -DQX=0 -DXP=1 -DNOWRITE|7888815|two rounds: 2, 3, 4, 6, 7
full |pass|handoff|L:p5|-DLIVE -DNOWRITE|1672106|5, every caller ends
full |pass|handoff|L:p5|-DLIVE -DNOWRITE -DTIMELY=1|1479857|5, no pauses
full |pass|handoff|L:p5|-DLIVE -DNOWRITE -DTIMELY=1 -DXP=0|921643|5, no lease of the living expires
quick|pass|handoff|L:p5|-DLIVE -DNOWRITE -DTIMELY=1 -DLOSS=0 -DNJ=3 -DNT=1 -DB=1|27438|5, three JVMs
full |pass|handoff|L:p6|-DLIVE -DNOWRITE -DTIMELY=1 -DLOSS=0|626239|6, nothing left behind
quick|pass|handoff|L:p5|-DLIVE -DNOWRITE -DTIMELY=1 -DLOSS=0 -DKILLS=0 -DXP=0 -DRX=0 -DQX=0 -DBUG_NORECHECK -DSIGNALS|28980|5 without re-checks, if no signal is lost
quick|pass|handoff|L:p5|-DLIVE -DNOWRITE -DTIMELY=1 -DLOSS=0 -DKILLS=0 -DXP=0 -DRX=0 -DQX=0 -DBUG_NORECHECK -DSIGNALS -DNJ=3 -DNT=1 -DB=1|2040|the same, three JVMs
quick|fail|handoff|S   |-DPROP=1 -DBUG_NOFENCE|643|resource does not look at the token
quick|fail|handoff|S   |-DPROP=2 -DBUG_SAMETOKEN|1083|local handoff with the same token
quick|fail|handoff|S   |-DPROP=2 -DTIMELY=1 -DBUG_NOBLOCK|58108|block not reserved
quick|fail|handoff|S   |-DPROP=2 -DSTRICT2|71060|a limit, not a bug: order of late local handoffs
quick|fail|handoff|S   |-DPROP=3 -DBUG_RELBYNAME|34904|release by name
quick|fail|handoff|S   |-DPROP=4 -DTIMELY=1 -DBUG_TRUSTSIGNAL|69649|signal taken for a grant
quick|fail|handoff|S   |-DPROP=4 -DTIMELY=1 -DBUG_NOEXTEND|124546|repeated grant without new ttl
quick|fail|handoff|L:p5|-DLIVE -DNOWRITE -DTIMELY=1 -DLOSS=0 -DKILLS=0 -DXP=0 -DRX=0 -DQX=0 -DBUG_NORECHECK|377|no re-check, signal lost
quick|fail|handoff|L:p5|-DLIVE -DNOWRITE -DTIMELY=1 -DLOSS=0 -DBUG_RESFOREVER|4692|reservation never expires
quick|fail|handoff|S   |-DPROP=6 -DBUG_RESFOREVER -DQX=0|41904|the same, seen as a ghost
quick|fail|handoff|L:p5|-DLIVE -DNOWRITE -DTIMELY=1 -DLOSS=0 -DKILLS=0 -DXP=0 -DQX=0 -DBUG_HEADFIRST|1914|free lock only to the head of the queue
quick|fail|handoff|S   |-DPROP=6 -DBUG_NEWATTEMPT|103|retry with a new attempt id
quick|fail|handoff|S   |-DPROP=6 -DBUG_COMPRELEASE|40633|compensation by release only
quick|fail|handoff|S   |-DPROP=6 -DBUG_DROPHANDOFF|1155|handed lock dropped by a caller that gave up
quick|fail|handoff|S   |-DPROP=6 -DDELAY -DBUG_NOGUARD|193|late request executed
quick|fail|handoff|S   |-DPROP=6 -DDELAY -DBUG_WEAKGUARD|67012|late request, guarded by "attempt in use" only
quick|fail|handoff|S   |-DPROP=7 -DBUG_ENQUEUEFLAG|42468|enqueue does not set the flag
quick|fail|handoff|L:p5|-DLIVE -DNOWRITE -DTIMELY=1 -DLOSS=0 -DKILLS=0 -DXP=0 -DRX=0 -DQX=0 -DBUG_NORECHECK -DSIGNALS -DBUG_ENQUEUEFLAG|320|the same, seen by a waiter
quick|fail|handoff|S   |-DPROP=7 -DBUG_RECHECKFLAG|80286|re-check does not set the flag (after an expiry)
quick|fail|handoff|S   |-DPROP=7 -DBUG_CLAIMFLAG|77364|claim forgets the flag
quick|fail|handoff|L:p5|-DLIVE -DNOWRITE -DTIMELY=1 -DLOSS=0 -DKILLS=0 -DXP=0 -DRX=0 -DQX=0 -DBUG_NORECHECK -DSIGNALS -DNJ=3 -DNT=1 -DB=1 -DBUG_CLAIMFLAG|368|the same, seen by a waiter
quick|fail|handoff|S   |-DPROP=7 -DBUG_FREEFLAG|65124|re-check that finds a free lock forgets the flag
quick|pass|lease  |A:safe|-DFENCE=1|35410|the fence lets no stale write in
quick|fail|lease  |A:safe|-DFENCE=0|210|no fence
quick|pass|lease  |L:live|-DFENCE=1|50302|a queue is served in the end
quick|fail|lease  |L:live|-DFENCE=1 -DBUG_RESFOREVER|383|reservation of a dead waiter never expires
quick|pass|redlockfence|S|-DWB=1|747936|token written back to a majority
quick|fail|redlockfence|S|-DWB=0|587|token is the maximum of the replies
full |pass|redlock|S     ||5426387|tokens rise, one holder
full |pass|redlock|S     |-DUNTIMELY|5094487|no time is kept: no token twice
quick|fail|redlock|S     |-DBUG_NOWB|334|tokens not written back
quick|fail|redlock|S     |-DBUG_ONE|187386|one confirmation is enough
quick|fail|redlock|S     |-DBUG_LATEVALID|34462|validity not looked at
full |fail|redlock|S     |-DRESTARTS=1|3816413|a limit, not a bug: server restarted empty without delay
quick|fail|redlock|S     |-DRESTARTS=1 -DDELAY -DBUG_NOCLOCK|400464|server restarted empty offers no clock
quick|fail|redlock|S     |-DUNTIMELY -DBUG_NOWB|180|no time is kept, tokens not written back
quick|fail|redlock|S     |-DUNTIMELY -DBUG_NOGUARD|47273|no time is kept, confirmed without a look at the holder
quick|fail|redlock|S     |-DUNTIMELY -DBUG_COUNTLATE|336677|no time is kept, offers above the block count
ROWS
}

# Runs one row and writes one line to $work/N: number|expected|model|switches|want|states|cpu seconds|verdict|what
run_row() {
  local number=$1 speed=$2 expected=$3 model=$4 kind=$5 switches=$6 want=$7 what=$8
  local dir=$work/row-$number ltl=${kind#*:} gccflags panflags reason optimize=-O2
  local errors states seconds verdict
  mkdir "$dir" && cd "$dir" || return 1
  # Optimizing the checker takes ten times longer than the short searches gain from it.
  [[ $speed == full ]] || optimize=-O0
  case $kind in
    S) gccflags="-DSAFETY"; panflags=""; reason="assertion violated" ;;
    L:*) gccflags="-DNFAIR=3"; panflags="-a -f -N $ltl"; reason="acceptance cycle" ;;
    # A safety formula: the claim itself reports the violation.
    A:*) gccflags=""; panflags="-a -N $ltl"; reason="assertion violated\|acceptance cycle" ;;
  esac
  # Switches and flags are lists of words.
  # shellcheck disable=SC2086
  if spin -a $switches "$models/$model.pml" >spin.out 2>&1 &&
    gcc "$optimize" -w -DNOREDUCE -DCOLLAPSE $gccflags -o pan pan.c >gcc.out 2>&1; then
    timeout --foreground 900 ./pan -m3000000 -n $panflags >pan.out 2>&1
  fi
  # Processor time of this row's processes, so that other work on the machine does not count.
  times >times.out
  seconds=$(sed -n '2s/[ms]/ /gp' times.out | awk '{ printf "%.1f", $1 * 60 + $2 + $3 * 60 + $4 }')
  errors=$(sed -n 's/.*errors: \([0-9]*\).*/\1/p' pan.out 2>/dev/null | head -n 1)
  states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' pan.out 2>/dev/null | head -n 1)
  if [[ -z $errors ]]; then
    verdict="NOT RUN"
  elif [[ $expected == pass ]]; then
    if [[ $errors != 0 ]]; then
      verdict="ERROR FOUND"
    elif grep -q "max search depth too small\|out of memory\|Search not completed" pan.out; then
      verdict="NOT EXHAUSTIVE"
    elif [[ $states != "$want" ]]; then
      # Not an error: another version of Spin may count differently. After a change of a model, put the new count here.
      verdict="ok, count differs"
    else
      verdict=ok
    fi
  elif [[ $errors == 0 ]]; then
    verdict="NOT CAUGHT"
  elif ! grep -q "^pan:1: .*\($reason\)" pan.out; then
    verdict="WRONG REASON"
  else
    verdict=ok
  fi
  if [[ $verdict != ok* ]]; then
    { echo "--- row $number: $model $kind $switches"; tail -n 30 spin.out gcc.out pan.out 2>/dev/null; } >&2
  fi
  [[ $kind == S ]] || switches="$switches [$ltl]"
  echo "$number|$expected|$model|$switches|$want|${states:--}|$seconds|$verdict|$what" >"$work/result-$number"
  cd / && rm -rf "$dir"
}

count=0
while IFS='|' read -r speed expected model kind switches want what; do
  speed=${speed// /} kind=${kind// /} model=${model// /}
  [[ $mode == full || $speed == quick ]] || continue
  count=$((count + 1))
  while (($(jobs -rp | wc -l) >= 2)); do wait -n; done
  run_row "$(printf %02d $count)" "$speed" "$expected" "$model" "$kind" "$switches" "$want" "$what" &
done < <(rows)
wait

echo "| model | switches [property] | must | states | before | cpu s | verdict | what |"
echo "| --- | --- | --- | ---: | ---: | ---: | --- | --- |"
failed=0
for ((n = 1; n <= count; n++)); do
  result=$work/result-$(printf %02d $n)
  if [[ ! -f $result ]]; then
    echo "| row $n | | | | | | NOT RUN | |"
    failed=$((failed + 1))
    continue
  fi
  IFS='|' read -r _ expected model switches want states seconds verdict what <"$result"
  echo "| $model | $switches | $expected | $states | $want | $seconds | $verdict | $what |"
  [[ $verdict == ok* ]] || failed=$((failed + 1))
done
echo
echo "Models ($mode): $count rows, $failed not as expected"
((failed == 0))
