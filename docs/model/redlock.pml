/*
 * A grant of Redlock and its fencing token (rule R10), finer than redlockfence.pml: servers are asked and told one by one, in
 * any order, some late, some never; answers get lost; clients pause; grants expire; a server may restart without its data.
 *
 * Three servers, a majority is two. A client asks each server at most once in a round. With two that said yes it takes the highest
 * offer as its token T (the block is T .. T+B-1), and tells each server that said yes. Who says yes later is told too. A
 * server that is told writes the end of the block into its mark, and confirms if the client still holds there; it counts
 * if its offer was not above T. The grant counts with two that do, if the client was not paused for longer than the ttl (valid).
 *
 * Checked whenever a grant counts:
 *   1. nobody else holds a grant that counts and is valid
 *   2. its tokens are above those of all grants that counted before
 * A server forgets a grant only if its client has ended the round or is not valid any more. That is what validity =
 * ttl - elapsed - drift, counted from before asking, stands for.
 *
 * UNTIMELY: clocks jump and clients do not notice that they were paused, so grants end on servers at any moment. Two holders are
 * possible then. Checked instead: no two grants that count have a token in common, so that a fence tells them apart.
 *
 * Switches: NC clients, NR rounds, B tokens in a block. RESTARTS: so many times a server comes back empty; it offers its clock
 * then, which has passed all marks meanwhile. DELAY: a server comes back only when all who held a grant there are gone.
 * Planted bugs: BUG_NOWB (tokens count without being written back), BUG_COUNTLATE (a confirmation counts although the
 * offer was above T), BUG_NOGUARD (servers confirm without a look at who holds), BUG_ONE (one confirmation is enough),
 * BUG_NOCLOCK (a server that comes back empty starts at zero), BUG_LATEVALID (validity is not looked at).
 *
 * Found by it: while all is timely, a majority of yes alone keeps tokens in order once they are written back. The guard and
 * "not above T" are needed when it is not; without them two holders can have the same token.
 */
#ifndef NC
#define NC 2
#endif
#ifndef NR
#define NR 1
#endif
#ifndef B
#define B 1
#endif
#ifndef RESTARTS
#define RESTARTS 0
#endif
#define N 3
#define Q 2

/* What a server has said: not asked, no (or no answer), yes, confirmed, told but not to be counted. */
#define UNASKED 0
#define NO 1
#define YES 2
#define CONFIRMED 3
#define STRAY 4

byte holder[N];   /* attempt that holds there: 1 + client * NR + round; 0 nobody */
byte mark[N];
byte clk;         /* no server offers less */
byte counted;     /* highest token that counted */
short used;       /* all that counted */
bool holds[NC];   /* has a grant that counts */
bool valid[NC];   /* its time is not over */
byte round[NC];
byte restarts;

#ifdef BUG_NOWB
#define ENOUGH (T > 0)
#else
#ifdef BUG_ONE
#define ENOUGH (T > 0 && confirmed >= 1)
#else
#define ENOUGH (T > 0 && confirmed >= Q)
#endif
#endif
#if defined(BUG_LATEVALID) || defined(UNTIMELY)
#define TIMELY true
#else
#define TIMELY valid[c]
#endif

#ifdef BUG_NOGUARD
#define CONFIRMS(n) (true)
#else
#define CONFIRMS(n) (holder[n] == me)
#endif
#ifdef DELAY
#define MAYRESTART(n) (holder[n] == 0 || gone(holder[n]))
#else
#define MAYRESTART(n) true
#endif

#define attempt(c) (1 + (c) * NR + round[c])
#define clientof(a) (((a) - 1) / NR)
#ifdef UNTIMELY
#define gone(a) true
#else
#define gone(a) ((a) != attempt(clientof(a)) || !valid[clientof(a)])
#endif

inline ask(n) {
  if
  :: holder[n] == 0 ->
     holder[n] = me;
     offer[n] = (mark[n] + 1 > clk -> mark[n] + 1 : clk);
     mark[n] = offer[n] + B - 1;
     if :: said[n] = YES; yes++ :: said[n] = NO fi         /* done, and the answer comes or gets lost */
  :: holder[n] != 0 -> said[n] = NO
  fi
}

inline tell(n) {
  if
  :: CONFIRMS(n) ->
     if :: mark[n] < T + B - 1 -> mark[n] = T + B - 1 :: else fi;
     if
     :: said[n] = NO                                       /* the answer gets lost */
#ifdef BUG_COUNTLATE
     :: said[n] = CONFIRMED; confirmed++
#else
     :: offer[n] <= T -> said[n] = CONFIRMED; confirmed++
     :: offer[n] > T -> said[n] = STRAY
#endif
     fi;
     offer[n] = 0
  :: else -> said[n] = NO
  fi
}

proctype client(byte c) {
  byte said[N]; byte offer[N]; byte T; byte yes; byte confirmed; byte me; byte n;
  do
  :: round[c] < NR ->
     atomic {
       me = attempt(c); valid[c] = true
     }
     do
     :: atomic { said[0] == UNASKED -> ask(0) }
     :: atomic { said[1] == UNASKED -> ask(1) }
     :: atomic { said[2] == UNASKED -> ask(2) }
     :: atomic { T == 0 && yes >= Q ->
          n = 0;
          do
          :: n < N -> if :: said[n] == YES && offer[n] > T -> T = offer[n] :: else fi; n++
          :: else -> break
          od;
          n = 0
        }
#ifndef BUG_NOWB
     :: atomic { T > 0 && said[0] == YES -> tell(0) }
     :: atomic { T > 0 && said[1] == YES -> tell(1) }
     :: atomic { T > 0 && said[2] == YES -> tell(2) }
#endif
     :: atomic { ENOUGH && TIMELY && !holds[c] ->
#ifndef UNTIMELY
          n = 0;
          do
          :: n < NC -> assert(n == c || !holds[n] || !valid[n]); n++
          :: else -> break
          od;
          n = 0;
#endif
#ifdef UNTIMELY
          assert(!((used >> T) & 1));
          used = used | (1 << T);
#else
          assert(T > counted);
          counted = T + B - 1;
#endif
          holds[c] = true
        }
#ifndef UNTIMELY
     :: atomic { valid[c] -> valid[c] = false }            /* paused for longer than the ttl */
#endif
     :: atomic {                                           /* gives up, or releases */
          holds[c] = false; T = 0; yes = 0; confirmed = 0;
          said[0] = UNASKED; said[1] = UNASKED; said[2] = UNASKED; offer[0] = 0; offer[1] = 0; offer[2] = 0;
          /* What it has on servers is taken back, or expires: see gone. */
          valid[c] = false; round[c]++;
          break
        }
     od;
  :: else -> break
  od
}

inline restart(n) {
  restarts++;
#ifndef BUG_NOCLOCK
  if :: clk <= mark[0] -> clk = mark[0] + 1 :: else fi;
  if :: clk <= mark[1] -> clk = mark[1] + 1 :: else fi;
  if :: clk <= mark[2] -> clk = mark[2] + 1 :: else fi;
#endif
  holder[n] = 0; mark[n] = 0
}

/* Expiry, and restarts without data. */
active proctype server() {
  do
  :: atomic { holder[0] != 0 && gone(holder[0]) -> holder[0] = 0 }
  :: atomic { holder[1] != 0 && gone(holder[1]) -> holder[1] = 0 }
  :: atomic { holder[2] != 0 && gone(holder[2]) -> holder[2] = 0 }
  :: atomic { restarts < RESTARTS && MAYRESTART(0) -> restart(0) }
  :: atomic { restarts < RESTARTS && MAYRESTART(1) -> restart(1) }
  :: atomic { restarts < RESTARTS && MAYRESTART(2) -> restart(2) }
  :: timeout -> break
  od
}

/* Marks have a history, but all that counted was written to a majority. */
init { atomic { byte i; if :: mark[0] = 1 :: mark[0] = 0 fi; i = 0; do :: i < NC -> run client(i); i++ :: else -> break od } }
