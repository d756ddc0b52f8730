package simulation_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing/synctest"
	"time"

	"github.com/postino/postino/infra/test/simulation"
	"github.com/postino/postino/shared/callback/secret"
	"github.com/postino/postino/shared/measure/stats"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/stage/ingest"
)

// world is one play of the whole pipeline. Everything follows from its seed.
type world struct {
	seed   uint64
	rng    *rand.Rand
	plant  bug
	store  *simulation.Store
	sealer *secret.Sealer
	begin  time.Time
	faults int                                   // still to come
	fault  func(number int, what string) verdict // instead of the seed's, if set
	calls  int

	queues     map[string][]*item
	messages   int
	plans      []plan // what owners and publishers will do
	swept      time.Time
	healed     bool
	busy       int
	number     int // of the last container
	ticks      int
	subs       int
	chaotic    bool
	eventOrder []string

	mu      sync.Mutex
	waiting []*crossing
	over    []*container

	accepted  map[string]int // event ids, and when their publication began
	published map[string]string
	created   map[string]int
	deleted   map[string]int
	canceled  map[string]bool
	recovered map[string]bool // subscriptions
	changed   map[string]bool // subscriptions that came to want something else
	calm      bool            // subscribers accept everything
	spells    map[string]span // in which a subscriber fails everything, by its path
	counts    map[string]int  // metrics
	stats     stats.Recorder
	desks     []*desk      // that are idle
	reader    http.Handler // of what the API shows
	looks     int
	ledger    ledger
	expunged  map[string]bool // events, that somebody asked for
	redriven  bool            // somebody moved what was exhausted
	expires   bool            // something waits longer than a delivery may
	seen      map[string]*posted
	unseen    map[string]int
	witness   witness
	plots     map[string]*plot  // subscriptions with a trigger
	contents  map[string]string // data of events, as they were stored first
	arrays    [][]string        // of events that a trigger counts
	said      []said            // what was published, and how it was answered
	intake    *ingest.Handler   // of publications
	replays   []replay          // that were accepted
	asked     int               // replays asked for
	ids       []string          // of deliveries that were posted, in order
	trouble   []string
	story     []string // what crossed, in order
}

type span struct{ from, to time.Time }

type plan struct {
	at time.Time
	do func()
}

// container is one process that handles one thing at a time, as a function
// does on AWS.
type container struct {
	w      *world
	number int
	store  *tapped
	dead   bool
	held   []heldSend
	sweeps bool
	ended  func(c *container) // in the world's own goroutine

	born     int // the tick of its beginning
	began    time.Time
	job      string // that it works on
	cancels  string // the event by whose cancel clauses it goes
	delivers bool
	byHand   bool           // it makes an attempt that somebody asked for
	harmed   bool           // a call of it failed
	unsaved  map[string]int // attempts that it made and did not store yet, by delivery
}

type crossing struct {
	c      *container
	what   string
	passes chan verdict
}

type verdict int

const (
	pass verdict = iota
	failBefore
	failAfter
	dieBefore
	dieAfter
)

var (
	errDead  = errors.New("the process is dead")
	errFault = errors.New("injected fault")
)

const tenant = "acme"

var theSealer = func() *secret.Sealer {
	s, err := secret.NewSealer(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		panic(err)
	}
	return s
}()

func newWorld(seed uint64, plant bug) *world {
	w := &world{
		seed: seed, rng: rand.New(rand.NewPCG(seed, 2)), plant: plant, store: simulation.NewStore(), sealer: theSealer,
		begin: time.Now(), queues: map[string][]*item{}, accepted: map[string]int{}, published: map[string]string{},
		created: map[string]int{}, deleted: map[string]int{}, canceled: map[string]bool{}, recovered: map[string]bool{}, changed: map[string]bool{}, seen: map[string]*posted{}, unseen: map[string]int{},
		spells: map[string]span{}, counts: map[string]int{}, expunged: map[string]bool{},
	}
	w.witness, w.plots, w.contents = newWitness(), map[string]*plot{}, map[string]string{}
	w.stats = stats.Recorder{Store: w.store, Now: time.Now, Log: noLog}
	w.faults = w.rng.IntN(14)
	return w
}

func (w *world) tick() int { w.ticks++; return w.ticks }

func (w *world) wrong(format string, args ...any) {
	w.trouble = append(w.trouble, fmt.Sprintf(format, args...))
}

// chaos reports whether faults may still happen.
func (w *world) chaos() bool { return !w.healed && w.faults > 0 }

// cross makes a call of a container: it waits for its turn, and may fail, or
// be the last thing that its process does.
func (c *container) cross(what string, call func() error) error {
	x := &crossing{c, what, make(chan verdict, 1)}
	c.w.mu.Lock()
	c.w.waiting = append(c.w.waiting, x)
	c.w.mu.Unlock()
	switch v := <-x.passes; v {
	case dieBefore:
		return errDead
	case failBefore:
		return errFault
	default:
		if err := call(); err != nil || v == pass {
			return err
		}
		if v == dieAfter {
			return errDead
		}
		return errFault
	}
}

// release lets one waiting call through.
func (w *world) release() {
	w.mu.Lock()
	slices.SortStableFunc(w.waiting, func(a, b *crossing) int {
		return cmp.Or(a.c.number-b.c.number, strings.Compare(a.what, b.what))
	})
	i := w.rng.IntN(len(w.waiting))
	x := w.waiting[i]
	w.waiting = slices.Delete(w.waiting, i, i+1)
	w.mu.Unlock()
	w.calls++
	v := w.judge(x)
	if v == dieBefore || v == dieAfter {
		x.c.dead = true
	}
	x.c.harmed = x.c.harmed || v != pass
	if w.story != nil {
		w.story = append(w.story, fmt.Sprintf("%v #%d %s %d", time.Since(w.begin), x.c.number, x.what, v))
	}
	x.passes <- v
}

func (w *world) judge(x *crossing) verdict {
	switch {
	case x.c.dead:
		return dieBefore
	case w.fault != nil:
		return w.fault(w.calls, x.what)
	case w.chaos() && w.rng.IntN(14) == 0:
		w.faults--
		return []verdict{failBefore, failAfter, dieBefore, dieAfter}[w.rng.IntN(4)]
	}
	return pass
}

// start has a new process do something.
func (w *world) start(do func(c *container), ended func(c *container)) {
	w.number++
	w.busy++
	c := &container{w: w, number: w.number, ended: ended, born: w.tick(), began: time.Now(), unsaved: map[string]int{}}
	c.store = &tapped{w.store, c}
	go func() {
		defer func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.over = append(w.over, c)
		}()
		do(c)
	}()
}

// settle finishes what has ended.
func (w *world) settle() {
	w.mu.Lock()
	over := w.over
	w.over = nil
	w.mu.Unlock()
	slices.SortFunc(over, func(a, b *container) int { return a.number - b.number })
	for _, c := range over {
		w.busy--
		w.gone(c)
		c.ended(c)
	}
}

// most containers that work at once.
const most = 4

// play goes on until nothing is left to happen.
func (w *world) play() { w.playUntil(time.Time{}) }

// playUntil goes on until a time, zero for ever, or until nothing is left to
// happen.
func (w *world) playUntil(end time.Time) {
	for steps := 0; ; steps++ {
		synctest.Wait()
		w.settle()
		if steps > 60_000 || time.Since(w.begin) > 60*24*time.Hour {
			w.wrong("no end after %v and %d steps", time.Since(w.begin), steps)
			w.abandon()
			return
		}
		name, it := "", (*item)(nil)
		if w.busy < most {
			name, it = w.ready()
		}
		if len(w.plans) > 0 && w.busy < most && (!w.plans[0].at.After(time.Now()) || len(w.waiting) > 0 && w.rng.IntN(30) == 0) {
			p := w.plans[0]
			w.plans = w.plans[1:]
			p.do()
			continue
		}
		switch {
		case w.sweepIsDue() && w.busy < most:
			w.sweep()
		case len(w.waiting) > 0 && w.fault == nil && !w.healed && w.rng.IntN(150) == 0:
			time.Sleep(time.Duration(w.rng.IntN(60)) * time.Second) // everything is slow
		case len(w.waiting) > 0 && (it == nil || w.rng.IntN(3) > 0):
			w.release()
		case it != nil:
			w.handle(name, it)
		case w.busy > 0:
			time.Sleep(time.Second) // somebody waits for time to pass
		default:
			at := w.next()
			if at.IsZero() || !end.IsZero() && at.After(end) {
				return
			}
			time.Sleep(max(time.Until(at), time.Millisecond))
		}
	}
}

// abandon ends all that is still under way.
func (w *world) abandon() {
	for range 10_000 {
		synctest.Wait()
		if w.settle(); w.busy == 0 {
			return
		}
		if len(w.waiting) == 0 {
			time.Sleep(time.Second)
			continue
		}
		for _, x := range w.waiting {
			x.c.dead = true
		}
		w.release()
	}
}

// handle has a container receive a message and work it.
func (w *world) handle(name string, it *item) {
	it.Received++
	if it.Received > mostReceived {
		w.wrong("message %s of %s was received %d times: %.120s", it.ID, name, it.Received, it.Body)
		it.gone = true
		return
	}
	it.at = time.Now().Add(visibility)
	if !w.healed && w.rng.IntN(25) == 0 {
		it.at = time.Now() // handed out twice
	}
	m := it.Message
	m.Body = bytes.Clone(m.Body)
	failed := false
	w.start(func(c *container) {
		ctx, cancel := context.WithTimeout(context.Background(), handling)
		defer cancel()
		var ids []string
		m.Body = w.plant.message(m.Body)
		c.delivers = name != "events"
		c.reads(m.Body)
		if name == "events" {
			ids = c.fanout().Handle(ctx, []queue.Message{m})
		} else {
			ids = c.delivery().Handle(ctx, []queue.Message{m})
		}
		failed = len(ids) > 0
	}, func(c *container) {
		switch {
		case c.dead || failed:
			if !c.dead && w.rng.IntN(2) == 0 {
				it.at = time.Now().Add(time.Duration(w.rng.IntN(20)) * time.Second)
			}
			return
		case w.chaos() && w.rng.IntN(40) == 0:
			w.faults-- // the acknowledgement was lost
			return
		}
		it.gone = true
		w.sweepGone(name)
		if len(c.held) > 0 { // planted: the message is gone, and now what it led to is queued
			w.start(func(late *container) {
				late.held = c.held
				for _, h := range late.held {
					_ = late.send(h.queue, h.messages)
				}
			}, func(*container) {})
		}
	})
}

// handling is how long a container may work on a message.
const handling = 60 * time.Second

// holdsBack says whether a planted bug keeps messages from the queue.
func (c *container) holdsBack(queue string) bool {
	switch c.w.plant {
	case ackBeforeEnqueue:
		return queue == "deliveries"
	case deleteBeforeQueue:
		return c.sweeps
	}
	return false
}
