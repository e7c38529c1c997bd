/* lease lock + fenced store; N clients; lease may expire any time unless renewed; a client may pause between check and write
   must fail: safe with -DFENCE=0, live with -DBUG_RESFOREVER (a reservation that nobody claims is kept for ever) */
#ifndef FENCE
#define FENCE 1
#endif
#define N 3
#define NOONE 255
byte owner = NOONE; byte token = 0;      /* lock store */
byte maxtok = 0; byte lastwriter=NOONE;  /* protected resource: highest token accepted */
bool stale = false;                      /* a write accepted from a holder older than one already accepted */
byte incs = 0; byte rounds=0;
byte q[N]; byte qn=0;                     /* FIFO queue */
byte reserved = NOONE;                    /* handoff grant waiting for a claim */
bool dead[N];
inline pop(){ if :: qn>0 -> reserved=q[0]; q[0]=q[1]; q[1]=q[2]; qn--; :: else -> reserved=NOONE fi }
active [N] proctype C() { byte me=_pid; byte t=0; bool held=false; bool queued=false;
 end: do
 :: atomic{ !held && !queued && rounds<4 && owner==NOONE && reserved==NOONE && qn==0 -> owner=me; token++; t=token; held=true; rounds++ }
 :: atomic{ !held && !queued && rounds<4 && (owner!=NOONE||qn>0||reserved!=NOONE) && qn<N -> q[qn]=me; qn++; queued=true; rounds++ }
 :: atomic{ queued && reserved==me -> reserved=NOONE; owner=me; token++; t=token; held=true; queued=false }   /* claim, not trust */
 :: atomic{ held -> /* write, perhaps long after the lease was lost */
      if :: (FENCE==0 || t>=maxtok) -> if :: t<maxtok -> stale=true :: else fi; maxtok=(t>maxtok->t:maxtok) :: else fi }
 :: atomic{ held && owner==me && token==t -> owner=NOONE; held=false; pop() }   /* release by unique token */
 :: atomic{ held && !(owner==me && token==t) -> held=false }                     /* notices loss */
 :: atomic{ dead[me]==false && queued -> dead[me]=true; break }                  /* waiter killed in queue */
 :: atomic{ dead[me]==false && held -> dead[me]=true; break }                    /* holder killed */
 :: rounds>=4 && !held && !queued -> break
 od }
active proctype Store() { end: do
 :: atomic{ owner!=NOONE -> owner=NOONE; pop() }          /* lease expiry */
#ifndef BUG_RESFOREVER
 :: atomic{ reserved!=NOONE -> pop() }                     /* grant not claimed in time: next waiter */
#endif
 od }
ltl safe { [] !stale }
ltl live { [] ((reserved!=NOONE || qn>0 || owner!=NOONE) -> <> (qn==0 && reserved==NOONE && owner==NOONE || rounds<4 || owner!=NOONE)) }
