package fanout_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/store/storetest"
	"github.com/postino/postino/shared/webhook"
)

const buying = `{"state":"live","holdout":50,"goal":{"types":["buy"],"filter":{"data":{"shop":["ours"]}},"within":"7d","value":"data.price"}}`

// conversions are the counts of goals alone.
func (c *counted) conversions() (sent, held, value, valueHeld int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	of := c.of["spring"]
	return of[webhook.ResultConverted], of[webhook.ResultConvertedHeld], of[webhook.ResultValue], of[webhook.ResultValueHeld]
}

func (s *stand) wantConversions(c *counted, when string, sent, held, value, valueHeld int64) {
	s.t.Helper()
	a, b, v, w := c.conversions()
	if got, want := [4]int64{a, b, v, w}, [4]int64{sent, held, value, valueHeld}; got != want {
		s.t.Errorf("%s: converted of those sent and held out, and their values: %v, want %v", when, got, want)
	}
}

func TestTheFirstGoalWithinItsTimeConvertsOnce(t *testing.T) {
	const week, million = 7 * 24 * time.Hour, 1_000_000
	held, free := half("spring")
	for name, tt := range map[string]struct {
		typ, subject, data          string
		after                       time.Duration // what was sent
		sent, held, value, valueFor int64
	}{
		"of one who got it":            {"buy", free, `{"shop":"ours","price":12.5}`, time.Hour, 1, 0, 12_500_000, 0},
		"of one who is held out":       {"buy", held, `{"shop":"ours","price":3}`, time.Hour, 0, 1, 0, 3 * million},
		"at once":                      {"buy", free, `{"shop":"ours","price":1}`, 0, 1, 0, million, 0},
		"in the last moment":           {"buy", free, `{"shop":"ours","price":1}`, week, 1, 0, million, 0},
		"a moment too late":            {"buy", free, `{"shop":"ours","price":1}`, week + time.Millisecond, 0, 0, 0, 0},
		"before it was sent":           {"buy", free, `{"shop":"ours","price":1}`, -time.Millisecond, 0, 0, 0, 0},
		"without a value":              {"buy", free, `{"shop":"ours"}`, time.Hour, 1, 0, 0, 0},
		"with a value that is text":    {"buy", free, `{"shop":"ours","price":"12"}`, time.Hour, 1, 0, 0, 0},
		"with a value beyond measure":  {"buy", free, `{"shop":"ours","price":1e300}`, time.Hour, 1, 0, 0, 0},
		"a refund":                     {"buy", free, `{"shop":"ours","price":-2}`, time.Hour, 1, 0, -2 * million, 0},
		"that the filter does not let": {"buy", free, `{"shop":"another","price":1}`, time.Hour, 0, 0, 0, 0},
		"of another type":              {"look", free, `{"shop":"ours","price":1}`, time.Hour, 0, 0, 0, 0},
		"of somebody else":             {"buy", "somebody else", `{"shop":"ours","price":1}`, time.Hour, 0, 0, 0, 0},
		"of nobody":                    {"buy", "", `{"shop":"ours","price":1}`, time.Hour, 0, 0, 0, 0},
	} {
		s := newStand(t)
		c := s.counts()
		s.campaign("spring", buying)
		s.subscribe(part("s", "spring", "x"))
		s.publish(s.event("x", held, s.now(), `{}`), s.event("x", free, s.now(), `{}`))
		goal := s.event(tt.typ, tt.subject, s.now().Add(tt.after), tt.data)
		s.advance(max(0, tt.after))
		s.publish(goal, goal)
		s.wantConversions(c, name, tt.sent, tt.held, tt.value, tt.valueFor)
		second := s.event(tt.typ, tt.subject, s.now(), tt.data) // no claim is left to it
		if s.publish(second, goal, second); tt.sent+tt.held > 0 {
			s.wantConversions(c, name+", and again", tt.sent, tt.held, tt.value, tt.valueFor)
		}
	}
}

func TestEachClaimIsConvertedByTheFirstGoalAfterIt(t *testing.T) {
	s := newStand(t)
	c := s.counts()
	s.campaign("spring", `{"state":"live","goal":{"types":["buy"],"within":"7d","value":"data.price"}}`)
	s.subscribe(part("a", "spring", "x"))
	s.subscribe(part("b", "spring", "y"))
	buy := func(price int) webhook.Event {
		return s.event("buy", "u1", s.now(), fmt.Sprintf(`{"price":%d}`, price))
	}
	s.publish(s.event("x", "u1", s.now(), `{}`))
	s.advance(time.Hour)
	s.publish(s.event("y", "u1", s.now(), `{}`))
	s.advance(time.Hour)
	s.publish(buy(5)) // counts for both
	s.wantConversions(c, "two claims, one goal", 2, 0, 10_000_000, 0)
	s.publish(buy(7))
	s.wantConversions(c, "no claim is left", 2, 0, 10_000_000, 0)
	s.publish(s.event("x", "u1", s.now(), `{}`))
	s.publish(buy(1))
	s.wantConversions(c, "one claim more", 3, 0, 11_000_000, 0)
}

func TestAnEventThatIsSentForIsNotItsOwnGoal(t *testing.T) {
	s := newStand(t)
	c := s.counts()
	s.campaign("spring", `{"state":"live","goal":{"types":["buy"],"within":"7d"}}`)
	s.subscribe(part("thanks", "spring", "buy"))
	first := s.event("buy", "u1", s.now(), `{}`)
	s.publish(first, first, first)
	s.wantConversions(c, "one purchase", 0, 0, 0, 0)
	s.advance(time.Second)
	second := s.event("buy", "u1", s.now(), `{}`)
	s.publish(second, first, second)
	s.wantConversions(c, "another", 1, 0, 0, 0)
}

func TestARepeatDoesNotConvertWhatWasSentAfterTheGoalCame(t *testing.T) {
	s := newStand(t)
	c := s.counts()
	s.campaign("spring", `{"state":"live","goal":{"types":["buy"],"within":"7d"}}`)
	s.subscribe(part("s", "spring", "x"))
	ahead := s.event("buy", "u1", s.now().Add(time.Hour), `{}`) // by the clock of who sent it
	s.publish(ahead)
	s.advance(time.Second)
	s.publish(s.event("x", "u1", s.now(), `{}`), ahead)
	s.wantConversions(c, "bought before", 0, 0, 0, 0)
	s.publish(s.event("buy", "u1", s.now(), `{}`))
	s.wantConversions(c, "bought after", 1, 0, 0, 0)
}

var errFault = errors.New("planted")

// fails lets one call to the store fail, the n-th, before or after it is carried
// out. It reports afterwards whether there were as many.
type fails struct {
	n     int
	after bool
	done  bool
}

func (f *fails) hook(after bool) func(string) error {
	return func(string) error {
		if after != f.after || f.done {
			return nil
		}
		if f.n--; f.n >= 0 {
			return nil
		}
		f.done = true
		return errFault
	}
}

// insist has a message handled until that succeeds, each time by another process, and
// once more.
func (s *stand) insist(body []byte) {
	s.t.Helper()
	for again := 0; again < 2; {
		s.another()
		failed := s.stage.Handle(s.t.Context(), []queue.Message{{ID: "m", Group: "acme", Body: body, Received: again + 1}})
		if len(failed) == 0 {
			again++
		}
	}
}

// another is another process, which knows nothing but what is stored.
func (s *stand) another() {
	old := s.stage
	s.stage = newStage(s)
	s.stage.Results = old.Results
}

func TestClaimsAndGoalsAreRightWhicheverCallFails(t *testing.T) {
	for _, after := range []bool{false, true} {
		for n := 0; ; n++ {
			s := newStand(t)
			c := s.counts()
			s.cap("promo", `{"tags":["promo"],"max":3,"per":"7d"}`)
			s.campaign("spring", `{"state":"live","tags":["promo"],"cap":{"max":2,"per":"7d"},"goal":{"types":["buy"],"within":"7d"}}`)
			s.campaign("autumn", `{"state":"live","tags":["promo"]}`)
			once := part("once", "autumn", "x")
			once.Trigger = json.RawMessage(`{"once":true}`)
			s.subscribe(once)
			for _, id := range []string{"a", "b"} {
				s.subscribe(part(id, "spring", "x"))
			}
			inner, f := s.store.Store, &fails{n: n, after: after}
			s.store.Store = storetest.Faulty(inner, f.hook(false), f.hook(true))
			for i := range 4 {
				typ := "x"
				if i == 2 {
					typ = "buy"
				}
				s.insist(message.Pack{Events: []webhook.Event{s.event(typ, "u1", s.now(), `{}`)}}.Encode())
			}
			sent := map[string]bool{}
			for _, m := range s.sent {
				sent[m.ID] = true
			}
			when := fmt.Sprintf("call %d fails, carried out: %v", n, after)
			if len(sent) != 3 {
				t.Errorf("%s: %d deliveries, want the three that the cap allows", when, len(sent))
			}
			if converted, _, _, _ := c.conversions(); converted > 2 || !after && converted != 2 {
				t.Errorf("%s: %d converted, want the 2 that were sent for the campaign", when, converted)
			}
			if !f.done {
				if n < 10 {
					t.Errorf("only %d calls to the store", n)
				}
				break
			}
		}
	}
}

// playAtOnce has messages handled by three processes at once, one call to the store in
// so many failing before or after it is carried out; what failed comes again.
func (s *stand) playAtOnce(bodies [][]byte, seed uint64) {
	var mu sync.Mutex
	dice, inner := rand.New(rand.NewPCG(seed, 9)), s.store.Store
	hook := func(string) error {
		mu.Lock()
		defer mu.Unlock()
		if dice.IntN(40) == 0 {
			return errFault
		}
		return nil
	}
	s.store.Store = storetest.Faulty(inner, hook, hook)
	messages := make(chan []byte, len(bodies))
	for _, body := range bodies {
		messages <- body
	}
	close(messages)
	var wg sync.WaitGroup
	for range 3 {
		stage := newStage(s)
		wg.Go(func() {
			for body := range messages {
				for len(stage.Handle(s.t.Context(), []queue.Message{{ID: "m", Group: "acme", Body: body, Received: 1}})) > 0 {
				}
			}
		})
	}
	wg.Wait()
	s.store.Store = inner
	s.advance(5 * time.Second) // what was put off
}

// TestSharedCapsHoldInAnyOrder plays events of people and campaigns, each more than
// once, at several processes whose calls to the store fail now and then.
func TestSharedCapsHoldInAnyOrder(t *testing.T) {
	for seed := range uint64(8) {
		dice := rand.New(rand.NewPCG(seed, 7))
		s := newStand(t)
		most := 1 + dice.IntN(3)
		s.cap("promo", fmt.Sprintf(`{"tags":["promo"],"max":%d,"per":"1d"}`, most+1))
		for _, id := range []string{"spring", "autumn"} {
			s.campaign(id, fmt.Sprintf(`{"state":"live","tags":["promo"],"cap":{"max":%d,"per":"1d"}}`, most))
			s.subscribe(part(id+"-1", id, "x"))
			s.subscribe(part(id+"-2", id, "x", "y"))
		}
		var bodies [][]byte
		for range 12 {
			body := message.Pack{Events: []webhook.Event{s.event([]string{"x", "y"}[dice.IntN(2)], fmt.Sprint("u", dice.IntN(2)), s.now(), `{}`)}}.Encode()
			bodies = append(bodies, body, body)
		}
		dice.Shuffle(len(bodies), func(i, j int) { bodies[i], bodies[j] = bodies[j], bodies[i] })
		s.playAtOnce(bodies, seed)
		perPerson, perCampaign, subjects, wanted := map[string]int{}, map[string]int{}, map[string]string{}, map[string]int{}
		for _, b := range bodies {
			p, err := message.DecodeAs[message.Pack](b)
			if err != nil {
				t.Fatal(err)
			}
			e := p.Events[0]
			if subjects[e.ID] == "" { // x is for two of each campaign, y for one
				wanted[e.Subject] += map[string]int{"x": 2, "y": 1}[e.Type]
			}
			subjects[e.ID] = e.Subject
		}
		seen := map[string]bool{}
		for _, m := range s.sent {
			if !seen[m.ID] {
				seen[m.ID] = true
				perPerson[subjects[m.Event]]++
				perCampaign[subjects[m.Event]+m.Subscription[:6]]++
			}
		}
		for subject, each := range wanted {
			if got, want := perPerson[subject], min(most+1, 2*min(most, each)); got != want {
				t.Errorf("seed %d: %s got %d, want the %d that the caps allow", seed, subject, got, want)
			}
		}
		for of, n := range perCampaign {
			if n > most {
				t.Errorf("seed %d: %d of %s, want at most %d", seed, n, of, most)
			}
		}
	}
}
