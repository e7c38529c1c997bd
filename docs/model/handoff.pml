/* The Redis lock protocol of ../protocol.md (rules E and R), for one key: gate, local handoff, queue, reservation, claim.

MODELLED. Server: lock record (attempt id, first token, HOLD or RESV; HOLD waited for or not), FIFO queue with one entry per JVM, token
 high-water mark; each script is one atomic step: acquire (first try; re-check = repetition of an unanswered command), claim, release, abandon
 (= cancel wait = compensation). The first try of an attempt grants a free lock without a look at the queue, and the release of a record that
 is not waited for frees the lock without one; whoever queues, or is refused again, marks the record as waited for.
 NJ JVMs x NT threads; a gate per JVM with at most one command under way; local handoff inside a block of B tokens; a caller may try once
 (wait 0), wait, give up at any moment (also just when it is handed the lock). Faults: signals lost at will; LOSS requests or replies lost
 (executed or not, the client does not know), answered by repeating with the same attempt id or by compensating; with -DDELAY a lost request
 is executed later; KILLS JVMs killed; leases, reservations and queue entries expire at any time; a thread may write to the fenced resource
 after it has lost or left the lock.
 TIMELY=0: paused holders, the lease may end under them unnoticed. TIMELY=1: no pauses, a holder stops at its own deadline, before the server's.
ABSTRACTED. No clock: "before" and "after" only; drift, ttl, min-hold, max-hold, time budget of the handoff (here: it may release instead at any
 time) are not there. A renewal that succeeds changes nothing; one that is refused is the step "renewal refused". Token = high-water mark + 1, the
 tightest case of max(mark + 1, TIME). The server itself does not fail, fail over or lose its keys. No re-entry, strict order, several keys or
 Redlock. Each thread acquires R times (1), so starvation by newcomers is not covered. No exchange (release and queue again in one script) and no extension of a block. FIFO inside a gate is trivial with two threads.

PROPERTIES
 1 the resource never accepts a token lower than one accepted, nor an equal one from another thread
 2 tokens of successive grants rise, also over local handoff. TIMELY=1: in the order in which threads start, over all JVMs.
   TIMELY=0: store grants (by construction) and the threads of one JVM; over all JVMs it does NOT hold, see STRICT2
 3 a release frees only the grant of its own attempt
 4 (TIMELY=1) never two threads that both believe they hold
 5 (weak fairness) every caller ends: holds or, unless it waits without limit, gives up; a dead JVM never blocks the others for ever
 6 no ghost: nothing on the server belongs to a living JVM that does not know of it (but a lease declared lost, until it expires); no gate holds
   for no thread; when all is over, record and queue are empty
 7 no release frees the lock unseen by a waiter of whom the record has to tell: one that queued, or asked again, or that stood behind a
   claimed or found-free lock, since the last first try took the place of an expired record

RULES FOUND HERE (beyond or against the design as written; the model has the rule, the switch takes it away)
 BUG_HEADFIRST    "grants if free and queue empty or caller is head" lets a free lock stay free for ever: A and B wait, a reservation of B expires
                  unclaimed, B's re-check finds A at the head, reserves for A and queues B; it expires before A looks (signal lost or slow), A's
                  re-check reserves for B and queues A, and so on, as long as each looks later than its reservation lasts: signals down, re-check
                  every 1 s, reservation 250 ms. Rule: a lock found FREE is granted to the caller, whatever the queue (free with a queue
                  happens only after an expiry, release always reserves). Strict order instead needs re-check period < reservation.
 BUG_NOEXTEND     the answer to a repeated acquire or claim must set the full ttl again, or else the deadline must count from the FIRST send
 BUG_COMPRELEASE  compensation must take away whatever the attempt has: lease, reservation or queue entry; release(attempt) alone is not enough
 BUG_DROPHANDOFF  a caller that gives up just when it is handed the lock must give the lock back
 BUG_NOGUARD      (-DDELAY) a request executed after its client has moved on leaves a ghost: not-after limit no later than the moment the client
                  sends the next command, or the same connection for both. BUG_WEAKGUARD: "attempt still in use" is not a sufficient guard
 BUG_ENQUEUEFLAG, BUG_RECHECKFLAG, BUG_CLAIMFLAG, BUG_FREEFLAG
                  each of the four places that mark a record as waited for is needed: a new queue entry; a re-check, since a first try may have taken
                  the place of an expired record; a claim, since others may queue behind it; a re-check that finds the lock free, likewise.
                  Safety does not depend on them (a re-check finds the freed lock), only who is served when
 STRICT2          (no bug: a limit) a paused gate hands on a token of a block whose lease is gone, after another JVM started with a higher one. The
                  resource refuses it. A history checker may order tokens only of leases whose acquire returned before their deadline.

RUN   run.sh does it all. By hand: spin -a [switches] handoff.pml
 S: gcc -O2 -w -DNOREDUCE -DCOLLAPSE -DSAFETY -o pan pan.c           && ./pan -m3000000 -n
 L: gcc -O2 -w -DNOREDUCE -DCOLLAPSE -DNFAIR=3 -o pan pan.c          && ./pan -m3000000 -n -a -f -N p5      (or p6)
 Switches go to spin, all of a row. PROP=0 (default) checks all assertions in one run, PROP=n only those of property n. Reductions: collapse only,
 exhaustive search, no bitstate. The rows, with the number of states of each, are in run.sh and README.md.

 The NORECHECK row allows lost signals as the only fault; with signals that always arrive the same run has 0 errors.
*/

/* ---------- size and budgets ---------- */
#ifndef NJ
#define NJ 2            /* JVMs, 2 or 3 */
#endif
#ifndef NT
#define NT 2            /* threads per JVM */
#endif
#define N (NJ*NT)
#ifndef B
#define B 2             /* tokens per grant = most holders per grant */
#endif
#ifndef R
#define R 1             /* acquisitions per thread */
#endif
#ifndef LOSS
#define LOSS 1          /* requests or replies that may be lost, whole run */
#endif
#ifndef KILLS
#define KILLS 1         /* JVMs that may be killed */
#endif
#ifndef RX
#define RX 255          /* expiries of the reservation of a LIVING waiter (it claims too late); 255 = any number */
#endif
#ifndef QX
#define QX 255          /* expiries of the queue entry of a LIVING waiter; 255 = any number */
#endif
#ifndef XP
#define XP 255          /* leases that living holders may lose (their renewals fail); 255 = any number */
#endif
#ifndef TIMELY
#define TIMELY 0        /* 0: holders may be paused, the lease may expire under them at any time
                           1: no pauses, a holder stops at its own deadline, which lies before the server's */
#endif
#ifndef PROP
#define PROP 0          /* 0: all assertions; n: only those of property n */
#endif
#define CHECK(n,c) if :: (PROP==0 || PROP==n) -> assert(c) :: else fi

/* ---------- threads ---------- */
#define IDLE  0         /* has not called yet */
#define LWAIT 1         /* queues in the gate */
#define LEAD  2         /* contends in the store for its gate */
#define SECT  3         /* in the critical section, believes that it holds */
#define REL   4         /* its release got no answer: sends it again */
#define ABAN  5         /* gave up; its compensation got no answer: sends it again */
#define LATE  6         /* out of the section (or told that the lease is lost), one write may still be under way */
#define DONE  7
#define DEAD  8
byte st[N]; byte tok[N]; bool wrote[N];
#if R>1
byte more[N];
#endif

#ifdef LIVE
bool pat[N];            /* waits without limit: without such callers a fair run would let every waiter give up */
#define PATIENT(i) pat[i]
#define PATIENCE(i) if :: pat[i]=1 :: skip fi
#else
#define PATIENT(i) false
#define PATIENCE(i) skip
#endif

/* ---------- gates, one per JVM ---------- */
#define FREE 0
#define CONTENDING 1
#define HELD 2
#define HANDING_OFF 3
#define RELEASING 4
byte g[NJ];
byte att[NJ];           /* attempt id this gate knows of, 0 = none */
byte ac[NJ];            /* attempts made */
bool unk[NJ];           /* CONTENDING: last command got no answer */
byte btok[NJ];          /* token handed out last */
byte left[NJ];          /* tokens left in the block */
bool sig[NJ];           /* a signal lies in the JVM's channel */
bool dead[NJ];

/* ---------- server ---------- */
#define NONE 0
#define HOLD 1
#define RESV 2
byte rs; byte ra; byte rt;      /* lock record: state, attempt id, first token of the block */
bool rl;                        /* (monitor) its owner has declared this lease lost */
bool rw;                        /* HOLD: waited for ('w'); else nobody is known to queue ('h') */
byte hwm;                       /* token high-water mark */
byte q[3]; byte qn;             /* FIFO queue of attempt ids, one per JVM */
#ifndef LIVE
bool owed;                      /* (monitor) somebody queues of whom the record must tell */
#define OWED(x)  owed=x
#define SETTLE   if :: qn==0 -> owed=0 :: else fi
#define OWING    (owed && qn>0)
#else
#define OWED(x)  skip
#define SETTLE   skip
#define OWING    false
#endif
#define JV(a) (((a)-1)%NJ)      /* an attempt id belongs to one JVM */

/* ---------- fenced resource and monitors ---------- */
byte rmax; byte rown=255;
#if TIMELY || defined(STRICT2)
byte lastt;                     /* highest token any thread has started with */
#define RISES(j,t) lastt
#else
byte lastj[NJ];                 /* ... any thread of this JVM */
#define RISES(j,t) lastj[j]
#endif
byte loss=LOSS; byte kills=KILLS;
#if RX<255
byte rx=RX;
#define RXOK  (rx>0)
#define RXDEC rx--
#else
#define RXOK  true
#define RXDEC skip
#endif
#if QX<255
byte qx=QX;
#define QXOK  (qx>0)
#define QXDEC qx--
#else
#define QXOK  true
#define QXDEC skip
#endif
#if XP<255
byte xp=XP;
#define XPOK  (xp>0)
#define XPDEC xp--
#else
#define XPOK  true
#define XPDEC skip
#endif
#ifdef BUG_NOEXTEND
bool weak[NJ];
#endif
#ifdef DELAY
byte pend;                      /* a request still on its way: executed later, or never */
bool pendrep;                   /* ... of an attempt that was sent before */
#endif
hidden byte r; hidden byte k; hidden byte a0;     /* scratch, used inside one atomic step only */

/* ---------- server scripts (each runs inside one atomic step) ---------- */
inline vanish() { rs=NONE; ra=0; rt=0; rl=0; rw=0 }
inline reserve_head() {         /* qn>0: pop the head, reserve for it, signal its JVM; the signal may get lost */
  rs=RESV; ra=q[0]; rt=0; rl=0; rw=0; q[0]=q[1]; q[1]=q[2]; q[2]=0; qn--; SETTLE;
#ifdef SIGNALS
  sig[JV(ra)]=1                 /* no signal is lost */
#else
  if :: sig[JV(ra)]=1 :: skip fi
#endif
  }
inline next() {                 /* pop the next waiter, if any, and reserve for it */
  if :: qn>0 -> reserve_head() :: else -> vanish() fi }
inline give_up_record() {       /* release: only a record that is waited for looks at the queue */
  if :: rw -> next() :: else -> CHECK(7, !OWING); vanish() fi }
inline remove(a) {
  if :: qn>0 && q[0]==a -> q[0]=q[1]; q[1]=q[2]; q[2]=0; qn--
     :: else -> if :: qn>1 && q[1]==a -> q[1]=q[2]; q[2]=0; qn--
                   :: else -> if :: qn>2 && q[2]==a -> q[2]=0; qn-- :: else fi fi fi;
  SETTLE }
#ifdef BUG_RECHECKFLAG
#define REFRESHED skip
#else
#define REFRESHED if :: rs==HOLD -> rw=1 :: else fi
#endif
#ifdef BUG_ENQUEUEFLAG
#define ENQUEUED skip
#else
#define ENQUEUED if :: rs==HOLD -> rw=1 :: else fi
#endif
inline enqueue(a) {             /* one entry per JVM: a newer attempt takes over the place of an older one */
  if :: qn>0 && JV(q[0])==JV(a) -> q[0]=a; REFRESHED
     :: else -> if :: qn>1 && JV(q[1])==JV(a) -> q[1]=a; REFRESHED
                   :: else -> if :: qn>2 && JV(q[2])==JV(a) -> q[2]=a; REFRESHED
                                 :: else -> q[qn]=a; qn++; ENQUEUED fi fi fi;
  OWED(1) }
#ifdef BUG_CLAIMFLAG
#define CLAIMED 0
#else
#define CLAIMED 1
#endif
#ifdef BUG_FREEFLAG
#define QUEUED 0
#else
#define QUEUED (qn>0)
#endif
inline grant(a,w) {             /* reserves the whole block of tokens; w: the record is waited for */
  rs=HOLD; ra=a; rl=0; rw=w; rt=hwm+1;
#ifdef BUG_NOBLOCK
  hwm=hwm+1;
#else
  hwm=hwm+B;
#endif
  r=1 }
inline again(a) {               /* idempotent answer to a repeated command: same grant, full ttl once more */
#ifdef BUG_NOEXTEND
  weak[JV(a)]=1;                /* ... the ttl is not set again, yet the client counts from its second send */
#endif
  r=1 }
inline acquire(a,w,rep) {       /* also the re-check; w: wants to wait; rep: this attempt was sent before */
  r=0;
  if
  :: rs==HOLD && ra==a -> again(a)
  :: rs==RESV && ra==a -> grant(a,CLAIMED)
#ifdef BUG_HEADFIRST
  :: rs==NONE && qn==0 -> grant(a,0)
  :: rs==NONE && qn>0 && q[0]==a -> remove(a); grant(a,QUEUED)
  :: else ->
     if :: rs==NONE -> reserve_head() :: else fi;               /* free, but another is the head */
     if :: w -> enqueue(a) :: else fi
#else
  /* free with a queue only after an expiry: whoever is there now takes it; the short way of a first try does not look */
  :: rs==NONE && rep -> remove(a); grant(a,QUEUED)
  :: rs==NONE && !rep -> OWED(0); grant(a,0)
  :: else -> if :: w -> enqueue(a) :: else fi
#endif
  fi }
inline claim(a) {
  r=0;
  if :: rs==RESV && ra==a -> grant(a,CLAIMED) :: rs==HOLD && ra==a -> again(a) :: else fi }
inline release(a) {
#ifdef BUG_RELBYNAME
  if :: rs==HOLD -> CHECK(3, ra==a); give_up_record() :: else fi
#else
  if :: rs==HOLD && ra==a -> CHECK(3, ra==a); give_up_record() :: else fi
#endif
  }
inline abandon(a) {             /* cancel wait and compensation in one: whatever the attempt has, it loses */
#ifdef BUG_COMPRELEASE
  release(a)
#else
  if :: rs!=NONE && ra==a -> next() :: else fi;
  remove(a)
#endif
  }

/* ---------- client ---------- */
#if NT==1
#define OTHER 0
#define PEER i
#else
#if NT==2
#define PEER (j*2+1-(i%2))
#define OTHER (st[PEER]==LWAIT)
#endif
#endif
inline fin() {                  /* this call is over */
  tok[i]=0; wrote[i]=0;
#ifdef LIVE
  pat[i]=0;
#endif
#if R>1
  if :: more[i]<R-1 -> more[i]++; st[i]=IDLE :: else -> st[i]=DONE fi
#else
  st[i]=DONE
#endif
  }
inline newatt() { ac[j]++; att[j]=(ac[j]-1)*NJ+j+1 }
inline clear(j) { g[j]=FREE; att[j]=0; unk[j]=0; btok[j]=0; left[j]=0 }
inline begin(t) {
  st[i]=SECT; tok[i]=t; wrote[i]=0;
#ifdef LIVE
  pat[i]=0;
#endif
  CHECK(2, t>RISES(j,t)); RISES(j,t)=t;
#if TIMELY
  for (k:0 .. N-1) { CHECK(4, k==i || st[k]!=SECT) }
#endif
  }
inline answer() {               /* reply to acquire, re-check or claim */
  unk[j]=0;
  if :: r -> g[j]=HELD; btok[j]=rt; left[j]=B-1; begin(btok[j]) :: else fi }
inline lost_request(rep) { loss--;
#ifdef DELAY
  if :: pend==0 -> pend=att[j]; pendrep=rep :: skip fi
#endif
  }
inline outdate() {
#if defined(DELAY) && !defined(BUG_NOGUARD) && !defined(BUG_WEAKGUARD)
  if :: pend==att[j] -> pend=0; pendrep=0 :: else fi    /* its not-after limit has passed before the client sends the next command */
#else
  skip
#endif
  }
inline contend(rep) {
  outdate();
  if :: acquire(att[j],1,rep); answer()
     :: loss>0 -> loss--; acquire(att[j],1,rep); unk[j]=1              /* executed, reply lost */
     :: loss>0 -> lost_request(rep); unk[j]=1                           /* not executed (yet) */
  fi }
inline compensate() {
  outdate();
  if :: abandon(att[j]); clear(j); fin()
     :: loss>0 -> loss--; abandon(att[j]); g[j]=RELEASING; unk[j]=0; st[i]=ABAN
     :: loss>0 -> loss--; g[j]=RELEASING; unk[j]=0; st[i]=ABAN
  fi }
inline giveback() {
  if :: release(att[j]); clear(j); st[i]=LATE
     :: loss>0 -> loss--; release(att[j]); g[j]=RELEASING; st[i]=REL
     :: loss>0 -> loss--; g[j]=RELEASING; st[i]=REL
  fi }
inline write() {                /* accept iff token > last, or equal and from the same owner */
#ifndef BUG_NOFENCE
  if :: tok[i]>rmax || (tok[i]==rmax && rown==i) ->
#else
  if :: true ->
#endif
     CHECK(1, tok[i]>rmax || (tok[i]==rmax && rown==i));
     if :: tok[i]>rmax -> rmax=tok[i] :: else fi; rown=i
  :: else fi }

proctype T(byte i; byte j) {
 do
 :: atomic{ st[i]==IDLE -> st[i]=LWAIT; PATIENCE(i) }
 :: atomic{ st[i]==LWAIT && g[j]==FREE -> newatt(); g[j]=CONTENDING; st[i]=LEAD; contend(0) }
#ifndef LIVE
 :: atomic{ st[i]==LWAIT && g[j]==FREE -> newatt(); g[j]=CONTENDING; acquire(att[j],0,0);   /* wait = 0: one try */
      if :: r -> answer() :: !r -> clear(j); fin()
         :: loss>0 -> loss--; g[j]=RELEASING; st[i]=ABAN fi }
#endif
 :: atomic{ st[i]==LWAIT && g[j]==HANDING_OFF ->                                            /* local handoff */
      g[j]=HELD; left[j]--;
#ifndef BUG_SAMETOKEN
      btok[j]++;
#endif
      begin(btok[j]) }
 :: atomic{ st[i]==LWAIT && !PATIENT(i) ->                                          /* gives up in the gate ... */
#ifdef BUG_DROPHANDOFF
      fin()
#else
      if :: g[j]==HANDING_OFF -> compensate() :: else -> fin() fi     /* ... just when it is handed the lock */
#endif
      }
 /* re-check, and the repetition of an unanswered command: same script, same attempt id */
#ifdef BUG_NORECHECK
 :: atomic{ st[i]==LEAD && unk[j] ->
#else
 :: atomic{ st[i]==LEAD ->
#endif
#ifdef BUG_NEWATTEMPT
      if :: unk[j] -> newatt() :: else fi;
#endif
      contend(1) }
 :: atomic{ st[i]==LEAD && !unk[j] && sig[j] -> sig[j]=0;
#ifdef BUG_TRUSTSIGNAL
      g[j]=HELD; btok[j]=hwm+1; hwm=hwm+B; left[j]=B-1; begin(btok[j])
#else
      if :: claim(att[j]); answer()
         :: loss>0 -> loss--; claim(att[j]); unk[j]=1
         :: loss>0 -> loss--; unk[j]=1 fi
#endif
      }
 :: atomic{ st[i]==LEAD && !PATIENT(i) ->                                                   /* gives up */
      if :: OTHER -> st[PEER]=LEAD; fin()                   /* the next local caller goes on with the same attempt */
         :: else -> compensate() fi }
 :: atomic{ st[i]==ABAN -> compensate() }
#ifndef NOWRITE
 :: atomic{ st[i]==SECT && !wrote[i] -> wrote[i]=1; write() }
#endif
 :: atomic{ st[i]==SECT ->
      if :: left[j]>0 && OTHER -> g[j]=HANDING_OFF; st[i]=LATE
         :: giveback() fi }
 :: atomic{ st[i]==REL -> giveback() }
#ifndef NOWRITE
 :: atomic{ st[i]==LATE -> write(); fin() }
#endif
 :: atomic{ st[i]==LATE -> fin() }
 :: st[i]>=DONE -> break
 od }

/* ---------- time, death, watchdog ---------- */
#define LIVEATT(a) (!dead[JV(a)] && att[JV(a)]==(a))
#define BELIEVED   (LIVEATT(ra) && (g[JV(ra)]==HELD || g[JV(ra)]==HANDING_OFF))
inline lose(j) {                /* watchdog: deadline passed or renewal refused; the gate starts afresh */
  for (k:0 .. NT-1) { if :: st[j*NT+k]==SECT -> st[j*NT+k]=LATE :: else fi };
  if :: rs==HOLD && ra==att[j] -> rl=1 :: else fi;
  clear(j) }
inline kill(j) {
  kills--; dead[j]=1; sig[j]=0; clear(j); ac[j]=0;
#ifdef BUG_NOEXTEND
  weak[j]=0;
#endif
  for (k:0 .. NT-1) {
    if :: st[j*NT+k]<DONE -> st[j*NT+k]=DEAD :: else fi;
#ifdef LIVE
    pat[j*NT+k]=0;
#endif
    tok[j*NT+k]=0; wrote[j*NT+k]=0 } }
#if NT==1
#define BUSY(j) (st[j]<DONE)
#else
#define BUSY(j) (st[j*2]<DONE || st[j*2+1]<DONE)
#endif
#if NJ==2
#define ALLDONE (!BUSY(0) && !BUSY(1))
#else
#define ALLDONE (!BUSY(0) && !BUSY(1) && !BUSY(2))
#endif
#define CLEAN (rs==NONE && qn==0)
/* something on the server belongs to a living JVM that no longer knows of it (a lease declared lost may wait for its expiry) */
#define GHOST ((rs!=NONE && !dead[JV(ra)] && att[JV(ra)]!=ra && !rl) || \
  (qn>0 && !dead[JV(q[0])] && att[JV(q[0])]!=q[0]) || (qn>1 && !dead[JV(q[1])] && att[JV(q[1])]!=q[1]) || \
  (qn>2 && !dead[JV(q[2])] && att[JV(q[2])]!=q[2]))
/* a gate that holds the lock without a thread to hold it for */
#if NT==1
#define ANY(j,x) (st[j]==x)
#else
#define ANY(j,x) (st[(j)*2]==x || st[(j)*2+1]==x)
#endif
#define STRANDED(j) ((g[j]==HELD && !ANY(j,SECT)) || (g[j]==HANDING_OFF && !ANY(j,LWAIT)))
#ifdef BUG_NOEXTEND
#define WEAK (LIVEATT(ra) && weak[JV(ra)])
#else
#define WEAK false
#endif
#if TIMELY
#define LOSES(j)  (!dead[j] && (g[j]==HELD || g[j]==HANDING_OFF) && XPOK)              /* own deadline */
#define LDEC      XPDEC
#else
#define LOSES(j)  (!dead[j] && (g[j]==HELD || g[j]==HANDING_OFF) && !(rs==HOLD && ra==att[j])) /* renewal refused */
#define LDEC      skip
#endif

/* what may happen, or not */
proctype World() {
 end: do
#if TIMELY==0
 :: atomic{ rs==HOLD && BELIEVED && XPOK -> XPDEC; vanish() }
#endif
 :: atomic{ LOSES(0) -> LDEC; lose(0) }
 :: atomic{ LOSES(1) -> LDEC; lose(1) }
#ifndef BUG_RESFOREVER
 :: atomic{ rs==RESV && LIVEATT(ra) && RXOK -> RXDEC; rs=NONE; ra=0 }
#endif
 :: atomic{ qn>0 && LIVEATT(q[0]) && QXOK -> QXDEC; a0=q[0]; remove(a0) }
 :: atomic{ qn>1 && LIVEATT(q[1]) && QXOK -> QXDEC; a0=q[1]; remove(a0) }
#if KILLS>0
 :: atomic{ kills>0 && !dead[0] && BUSY(0) -> kill(0) }
 :: atomic{ kills>0 && !dead[1] && BUSY(1) -> kill(1) }
#endif
#if NJ>2
 :: atomic{ LOSES(2) -> LDEC; lose(2) }
 :: atomic{ qn>2 && LIVEATT(q[2]) && QXOK -> QXDEC; a0=q[2]; remove(a0) }
#if KILLS>0
 :: atomic{ kills>0 && !dead[2] && BUSY(2) -> kill(2) }
#endif
#endif
#ifdef DELAY                    /* a request executed later than its client waited for it */
#ifdef BUG_NOGUARD
 :: atomic{ pend!=0 -> a0=pend; pend=0; acquire(a0,1,pendrep); pendrep=0 }
#else
 :: atomic{ pend!=0 && (dead[JV(pend)] || LIVEATT(pend)) -> a0=pend; pend=0; acquire(a0,1,pendrep); pendrep=0 }
#endif
 :: atomic{ pend!=0 -> pend=0; pendrep=0 }
#endif
 od }

/* what must happen in the end: timers of leases, reservations and queue entries that nobody keeps alive */
init {
 atomic{ for (a0:0 .. N-1) { run T(a0, a0/NT) } run World() }
 end: do
 :: atomic{ rs==HOLD && (!BELIEVED || WEAK) -> vanish() }
#ifndef BUG_RESFOREVER
 :: atomic{ rs==RESV && !LIVEATT(ra) -> rs=NONE; ra=0 }
#endif
 :: atomic{ qn>0 && !LIVEATT(q[0]) -> a0=q[0]; remove(a0) }
 :: atomic{ qn>1 && !LIVEATT(q[1]) -> a0=q[1]; remove(a0) }
#if NJ>2
 :: atomic{ qn>2 && !LIVEATT(q[2]) -> a0=q[2]; remove(a0) }
#endif
 :: atomic{ GHOST -> CHECK(6, false); break }
 :: atomic{ STRANDED(0) || STRANDED(1) -> CHECK(6, false); break }
#ifndef LIVE
 :: atomic{ timeout -> CHECK(6, CLEAN); break }
#endif
 od }

#ifdef LIVE
ltl p5 { <> ALLDONE }
ltl p6 { <> [] CLEAN }
#endif
