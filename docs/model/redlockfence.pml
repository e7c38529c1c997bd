/* Redlock fence token: 3 nodes, majority 2. WB=0: token=max of INCR replies. WB=1: write max back to a majority before returning. WB=0 must fail */
#ifndef WB
#define WB 1
#endif
byte ctr[3]; byte lock[3]; byte last=0; bool regress=false; byte holder=0; byte acq=0;
inline try(n){ if :: lock[n]==0 -> lock[n]=me; ctr[n]++; got++; if :: ctr[n]>t -> t=ctr[n] :: else fi; m[n]=1 :: else fi }
active [2] proctype C(){ byte me=_pid+1; byte t; byte got; byte m[3]; byte k=0;
 do :: k<3 -> k++; t=0; got=0; m[0]=0; m[1]=0; m[2]=0;
   /* each node may be unreachable for this attempt */
   if :: atomic{ try(0) } :: skip fi; if :: atomic{ try(1) } :: skip fi; if :: atomic{ try(2) } :: skip fi;
   if :: got>=2 ->
        if :: WB -> atomic{ if :: m[0] && ctr[0]<t -> ctr[0]=t :: else fi; if :: m[1] && ctr[1]<t -> ctr[1]=t :: else fi; if :: m[2] && ctr[2]<t -> ctr[2]=t :: else fi } :: else fi;
        atomic{ if :: t<=last -> regress=true :: else fi; last=t; assert(!regress) }
      :: else fi;
   atomic{ if :: lock[0]==me -> lock[0]=0 :: else fi; if :: lock[1]==me -> lock[1]=0 :: else fi; if :: lock[2]==me -> lock[2]=0 :: else fi }
 :: else -> break od }
