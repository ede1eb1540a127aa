/*
 * The position logic of the relay between a station and its hub, for the model checker Spin. README.md says what is left out.
 *
 * A record is a number 1..RECORDS. A sequence of records is packed three bits each, first record lowest, into one integer: so a
 * chain, which is the identity of a whole prefix of a feed, simply is that prefix, and its place in the feed is its length.
 *
 * One atomic step is one transaction or one act of the world: a record is written, a batch is packed, a batch arrives (again), a
 * backup is made or put back, the station is copied, or the world falls quiet. A batch arrives at once, or is held up: then it
 * arrives later, after anything, as often as the world likes, until another is held up in its place. A sender may begin at any
 * point of its own feed, not only at a position it was offered: that covers every hello and answer lost, late or out of date.
 *
 * A trail names the station 0, the hub 1 and the second machine 2, and prints sequences in octal: 21 is record 1, then record 2.
 *
 * With two channels the hub also gives back: records of the data channel that only it holds, without a place, at once or late.
 *
 * Sizes: RECORDS (at most 5), DISASTERS (restores and copies), CLONE (the station may be copied), CHANNELS (1, or 2: the hub reads
 * data and forms, the station forms only), HISTORY (positions kept: 1 or 2), ISLANDS (kept: 0 or 1). NOBACK: nothing is given back.
 * Broken on purpose: NOCHAIN NOREFCHECK POSITIONFIRST GAPMOVES NOMATCH ISLANDLACKING ISLANDBYSEQ. Left out: NOREFERENCES.
 */
#ifndef RECORDS
#define RECORDS 2
#endif
#ifndef DISASTERS
#define DISASTERS 2
#endif
#ifndef CHANNELS
#define CHANNELS 1
#endif
#ifndef HISTORY
#define HISTORY 2
#endif
#ifndef ISLANDS
#define ISLANDS 1
#endif

#define STATION 0
#define HUB     1
#define COPY    2            /* a second machine with the station's key */
#define BACKUP  3            /* BACKUP + node: the backup of the station, of the hub */
#define PLACES  5

#define LENGTH(s)     ((s) == 0 -> 0 : ((s) < 8 -> 1 : ((s) < 64 -> 2 : ((s) < 512 -> 3 : ((s) < 4096 -> 4 : 5)))))
#define PREFIX(s, n)  ((s) & ((1 << (3 * (n))) - 1))
#define AT(s, n)      (((s) >> (3 * (n))) & 7)
#define SET(s)        (((1 << AT(s,0)) | (1 << AT(s,1)) | (1 << AT(s,2)) | (1 << AT(s,3)) | (1 << AT(s,4))) & 62)
#define ROW(x, c)     ((x) * CHANNELS + (c))

#if CHANNELS == 2
byte forms;                  /* the records of channel 1: what the hub wrote */
#define OF(c)    ((c) == 0 -> 62 & ~forms : forms)
#define FIRST(x) ((x) == HUB -> 0 : 1)      /* the first channel that a node may read */
#else
#define OF(c)    62
#define FIRST(x) 0
#endif
#if CHANNELS == 2 && !defined(NOBACK)
#define GIVESBACK 1
#define BACK(x, c) ((x) != HUB && (c) == 0)     /* what comes so is given back: no place goes with it */
#define HAS(x)     62                           /* what a node has in the end, as the hub has */
#else
#define GIVESBACK 0
#define BACK(x, c) 0
#define HAS(x)     OF(FIRST(x))
#endif

#ifdef NOCHAIN
#define SAME(p, q)    (LENGTH(p) == LENGTH(q))
#define MATCHES(p, s) (LENGTH(p) <= LENGTH(s))
#else
#define SAME(p, q)    ((p) == (q))
#define MATCHES(p, s) (PREFIX(s, LENGTH(p)) == (p))
#endif
#ifdef NOREFERENCES
#define REFERENCES(x) 0
#else
#define REFERENCES(x) via[x]
#endif
#if HISTORY == 2
#define KEPT(x, c, p) ((p) == 0 || SAME(p, high[ROW(x, c)]) || SAME(p, low[ROW(x, c)]))
#else
#define KEPT(x, c, p) ((p) == 0 || SAME(p, high[ROW(x, c)]))
#endif
#ifdef GAPMOVES
#define NOGAP(x, c, p) true
#else
#define NOGAP(x, c, p) KEPT(x, c, p)
#endif
#ifdef ISLANDBYSEQ
#define JOINS(x, c, p) (LENGTH(p) == LENGTH(high[ROW(x, c)]))
#else
#define JOINS(x, c, p) KEPT(x, c, p)
#endif

/* What a place keeps: the feed (so the records it holds), which of them the peer brought first, positions, one island. */
short feed[PLACES];
byte  via[PLACES];
short high[PLACES * CHANNELS];
#if HISTORY == 2
short low[PLACES * CHANNELS];
#endif
#if ISLANDS == 1
short sea[PLACES], shore[PLACES];    /* the island is (sea, shore] */
byte  sea_of[PLACES];                /* of this channel */
#endif

/* Two batches: the range (after, upto] of the sender's feed in one channel; `named` are only referred to. */
#define FRESH 0              /* being packed: empty between the steps */
#define LATE  1              /* held up */
short after[2], upto[2];
byte  named[2], channel[2];
bit   to_hub[2];

byte written;                /* how many records were written so far, anywhere */
byte disasters = DISASTERS;  /* still allowed */
bit  copied;                 /* the second machine lives */

byte a, b, f;                /* what the world chooses in a step */
byte k, x, y, r, lacking, before, gap, lost, differ;
short p, range;              /* scratch; 0 between the steps */

inline forget() {
    a = 0; b = 0; f = 0;
    k = 0; x = 0; y = 0; r = 0; lacking = 0; before = 0; gap = 0; lost = 0; differ = 0;
    p = 0; range = 0
}

inline copy_place(source, target) {
    feed[target] = feed[source];
    via[target] = via[source];
    for (k : 0 .. CHANNELS - 1) {
        high[ROW(target, k)] = high[ROW(source, k)];
#if HISTORY == 2
        low[ROW(target, k)] = low[ROW(source, k)];
#endif
    }
#if ISLANDS == 1
    sea[target] = sea[source];
    shore[target] = shore[source];
    sea_of[target] = sea_of[source];
#endif
}

inline empty_place(place) {
    feed[place] = 0;
    via[place] = 0;
    for (k : 0 .. CHANNELS - 1) {
        high[ROW(place, k)] = 0;
#if HISTORY == 2
        low[ROW(place, k)] = 0;
#endif
    }
#if ISLANDS == 1
    sea[place] = 0;
    shore[place] = 0;
    sea_of[place] = 0;
#endif
}

inline count_disaster() {
    disasters--;
    if
    :: disasters == 0 -> empty_place(BACKUP + STATION); empty_place(BACKUP + HUB)    /* of no more use: fewer states */
    :: else
    fi
}

/* I1: every record of the channel in the prefix of each stored position is held. */
inline check_positions(place) {
    for (k : 0 .. CHANNELS - 1) {
        gap = SET(high[ROW(place, k)]) & OF(k) & ~SET(feed[place]);
        assert(gap == 0);
#if HISTORY == 2
        gap = SET(low[ROW(place, k)]) & OF(k) & ~SET(feed[place]);
        assert(gap == 0);
#endif
    }
}

inline write_record(place) {
    written++;
    printf("node %d writes record %d\n", place, written);
    feed[place] = feed[place] | (written << (3 * LENGTH(feed[place])));
#if CHANNELS == 2
    if
    :: place == HUB -> forms = forms | (1 << written)
    :: else
    fi
#endif
}

/* The history is a set, the shorter position first; it is thinned in any way that keeps the position just adopted. */
inline adopt(place, ch, position, thin) {
#if HISTORY == 2
    if
    :: position == low[ROW(place, ch)] || position == high[ROW(place, ch)]
    :: else ->
        if
        :: position > high[ROW(place, ch)] && !(thin) ->
            low[ROW(place, ch)] = high[ROW(place, ch)];
            high[ROW(place, ch)] = position
        :: position > low[ROW(place, ch)] && thin -> high[ROW(place, ch)] = position
        :: position < high[ROW(place, ch)] && !(thin) -> low[ROW(place, ch)] = position
        :: position < low[ROW(place, ch)] && thin ->
            high[ROW(place, ch)] = low[ROW(place, ch)];
            low[ROW(place, ch)] = position
        fi
    fi
#else
    high[ROW(place, ch)] = position
#endif
}

/* One transaction of the receiver: the records in full; then the position, if no named record is lacking and no gap is before it. */
inline apply(place, ch, begin, end, refs, thin, crash) {
    range = end >> (3 * LENGTH(begin));
    lacking = 0;
    for (k : 0 .. RECORDS - 1) {
        r = 1 << AT(range, k);
        if
        :: (r & OF(ch) & ~SET(feed[place])) == 0     /* no record, of another channel, or held */
        :: else ->
            if
            :: (r & refs) != 0 -> lacking = lacking | r
            :: (r & refs) == 0 && !(crash) ->
                feed[place] = feed[place] | (AT(range, k) << (3 * LENGTH(feed[place])));
                via[place] = via[place] | r
            :: else
            fi
        fi
    }
#ifdef NOREFCHECK
    lacking = 0;
#endif
    if
    :: !BACK(place, ch) && lacking == 0 && NOGAP(place, ch, begin) ->
        adopt(place, ch, end, thin);
#if ISLANDS == 1
        if
        :: shore[place] != 0 && sea_of[place] == ch && JOINS(place, ch, sea[place]) ->
            adopt(place, ch, shore[place], thin);
            sea[place] = 0;
            shore[place] = 0;
            sea_of[place] = 0
        :: else
        fi
#ifdef ISLANDLACKING
    :: !BACK(place, ch) && !NOGAP(place, ch, begin) ->
#else
    :: !BACK(place, ch) && lacking == 0 && !NOGAP(place, ch, begin) ->
#endif
        sea[place] = begin;
        shore[place] = end;
        sea_of[place] = ch
#endif
    :: else
    fi
}

inline begin_at(source, position) {
    if
    :: MATCHES(position, feed[source]) -> p = PREFIX(feed[source], LENGTH(position))
    :: else
    fi
}

/* One direction of a session without faults: from the longest position that matches; in full when lacking. */
inline send_all(source, target) {
    for (y : FIRST(target) .. CHANNELS - 1) {
        p = 0;
#if HISTORY == 2
        begin_at(source, low[ROW(target, y)]);
#endif
        begin_at(source, high[ROW(target, y)]);
        apply(target, y, p, feed[source], REFERENCES(source), 0, 0);
        if
        :: lacking != 0 -> apply(target, y, p, feed[source], 0, 0, 0)
        :: else
        fi
    }
}

/* A session of a node with the hub: it sends, it reads, and gets back what both find only the hub to have. */
inline meet(node) {
    send_all(node, HUB);
    send_all(HUB, node);
    give_back(node)
}

inline give_back(node) {
#if GIVESBACK
    apply(node, 0, 0, feed[HUB], 0, 0, 0)
#else
    skip
#endif
}

inline check_equal(node) {
    differ = (SET(feed[node]) ^ SET(feed[HUB])) & HAS(node);
    assert(differ == 0)
}

/* The world falls quiet. No loss: all that is held somewhere is at the hub. Convergence: one session with the hub is enough. */
inline fall_quiet() {
    printf("the world falls quiet: every node has one session with the hub\n");
    before = SET(feed[STATION]) | SET(feed[HUB]) | SET(feed[COPY]);
    meet(STATION);
    check_equal(STATION);
    if
    :: copied ->
        meet(COPY);
        send_all(HUB, STATION);
        give_back(STATION);
        check_equal(COPY);
        check_equal(STATION)
    :: else
    fi;
    check_positions(STATION);
    check_positions(HUB);
    check_positions(COPY);
    lost = before & ~SET(feed[HUB]);
    assert(lost == 0)
}

inline empty_batch(batch) {
    after[batch] = 0;
    upto[batch] = 0;
    named[batch] = 0;
    channel[batch] = 0;
    to_hub[batch] = 0
}

inline hold_up() {
    d_step {
        printf("  and it is held up\n");
        after[LATE] = after[FRESH];
        upto[LATE] = upto[FRESH];
        named[LATE] = named[FRESH];
        channel[LATE] = channel[FRESH];
        to_hub[LATE] = to_hub[FRESH];
        empty_batch(FRESH)
    }
}

inline arrive(batch) {
    if
    :: to_hub[batch] -> a = HUB
    :: !to_hub[batch] -> a = STATION
    :: !to_hub[batch] && copied -> a = COPY
    fi;
#if HISTORY == 2
    if
    :: true
    :: high[ROW(a, channel[batch])] != 0 -> b = 1      /* thin the history */
    fi;
#endif
#ifdef POSITIONFIRST
    if
    :: true
    :: f = 1        /* the power fails between the position and the records */
    fi;
#endif
    d_step {
        apply(a, channel[batch], after[batch], upto[batch], named[batch], b, f);
        printf("  at node %d: feed %o, positions %o", a, feed[a], high[ROW(a, channel[batch])]);
#if HISTORY == 2
        printf(" %o", low[ROW(a, channel[batch])]);
#endif
        printf(", lacking %d\n", lacking);
        check_positions(a);
        forget()
    }
}

/* Nothing is left to look at: one last state. */
inline end_world() {
    for (x : 0 .. PLACES - 1) {
        empty_place(x)
    }
    empty_batch(LATE);
    written = 0;
    disasters = 0;
    copied = 0;
#if CHANNELS == 2
    forms = 0
#endif
}

active proctype world() {
    do
    :: atomic {     /* a record is written */
        written < RECORDS ->
        if
        :: a = STATION
        :: a = HUB
        :: copied -> a = COPY
        fi;
        d_step { write_record(a); forget() }
    }
    :: atomic {     /* a batch is packed, with references or in full, and arrives at once or is held up */
        if
        :: feed[HUB] != 0 -> a = HUB
        :: feed[STATION] != 0 -> a = STATION; to_hub[FRESH] = 1
        :: copied && feed[COPY] != 0 -> a = COPY; to_hub[FRESH] = 1
        fi;
#if CHANNELS == 2
        if
        :: a != HUB || GIVESBACK
        :: channel[FRESH] = 1
        fi;
#endif
        select (b : 1 .. LENGTH(feed[a]));
        select (f : 0 .. b - 1);
        upto[FRESH] = PREFIX(feed[a], b);
        after[FRESH] = PREFIX(feed[a], f);
#ifdef NOMATCH
        after[FRESH] = high[ROW((a == HUB -> STATION : HUB), channel[FRESH])];    /* as offered, not looked at */
        if
        :: LENGTH(after[FRESH]) >= LENGTH(upto[FRESH]) -> after[FRESH] = upto[FRESH]
        :: else
        fi;
#endif
        if
        :: true
        :: REFERENCES(a) != 0 && !(a == HUB && BACK(STATION, channel[FRESH])) -> named[FRESH] = REFERENCES(a) & SET(upto[FRESH] >> (3 * f)) & OF(channel[FRESH])
        fi;
        printf("node %d packs (%o, %o], referring only to the set %d\n", a, after[FRESH], upto[FRESH], named[FRESH]);
        a = 0; b = 0; f = 0;
        if
        :: hold_up()
        :: arrive(FRESH); empty_batch(FRESH)
        fi
    }
    :: atomic {     /* the batch that was held up arrives, maybe again */
        upto[LATE] != 0 ->
        printf("the batch held up arrives: (%o, %o], referring only to the set %d\n", after[LATE], upto[LATE], named[LATE]);
        arrive(LATE)
    }
    :: atomic {     /* a backup is made */
        disasters > 0 ->
        if
        :: a = STATION
        :: a = HUB
        fi;
        d_step { printf("backup of node %d\n", a); copy_place(a, BACKUP + a); forget() }
    }
    :: atomic {     /* a backup is put back */
        disasters > 0 ->
        if
        :: a = STATION
        :: a = HUB
        fi;
        d_step { printf("node %d is restored to its backup (or to nothing)\n", a); copy_place(BACKUP + a, a); count_disaster(); forget() }
    }
#ifdef CLONE
    :: atomic {     /* the station is copied to a second machine: as it is, or from its backup while it lives */
        disasters > 0 && !copied ->
        if
        :: a = STATION
        :: a = BACKUP
        fi;
        d_step { printf("place %d is copied to a second machine\n", a); copy_place(a, COPY); copied = 1; count_disaster(); forget() }
    }
#endif
    :: atomic { true; d_step { fall_quiet(); end_world(); forget() }; break }
    od
}
