package job_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

// published are the events that sends have published, with how often each came.
func (w *world) published() map[string]int {
	w.t.Helper()
	subjects, ids, nonces := map[string]int{}, map[string]string{}, map[string]bool{}
	for _, m := range w.events {
		asked, err := message.Decode(m.Body)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, e := range asked.(message.Pack).Events {
			if id, known := ids[e.Subject]; known && id != e.ID {
				w.t.Errorf("%s got events %s and %s", e.Subject, id, e.ID)
			}
			if nonces[e.Nonce] {
				w.t.Errorf("two publications of %s have one nonce: both would be carried out", e.Subject)
			}
			ids[e.Subject], nonces[e.Nonce] = e.ID, true
			subjects[e.Subject]++
		}
	}
	return subjects
}

// people stores n profiles, of which every second is gold.
func (w *world) people(n int) {
	w.t.Helper()
	for i := range n {
		p := webhook.Profile{Tenant: "acme", Subject: fmt.Sprintf("u%05d", i), Attributes: json.RawMessage(fmt.Sprintf(`{"plan":%q}`, []string{"gold", "tin"}[i%2])), Revision: 1}
		if err := w.seed.SaveProfile(w.t.Context(), p); err != nil {
			w.t.Fatal(err)
		}
	}
}

func sending(s webhook.Send) webhook.Job {
	s.Subscription = "s"
	return webhook.Job{Tenant: "acme", ID: jobID, Kind: webhook.JobSend, Send: &s}
}

func gold() webhook.Send {
	return webhook.Send{Filter: json.RawMessage(`{"profile":{"plan":["gold"]}}`)}
}

func TestASendPublishesOneEventForEachProfileOfItsGroup(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		n := scale(20_000, 450)
		w.people(n)
		w.refuse = dice(5)
		wantCounts(t, w.finish(sending(gold())), webhook.JobCounts{Matched: int64(n / 2), Sent: int64(n / 2)})
		got := w.published()
		for i := range n {
			subject := fmt.Sprintf("u%05d", i)
			if has := got[subject] > 0; has != (i%2 == 0) {
				t.Errorf("%s got an event: %t", subject, has)
			}
		}
	})
}

func TestTheEventOfASendIsForOneSubscription(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		w.people(1)
		s := gold()
		s.Data = json.RawMessage(`{"card":"spring"}`)
		j := w.finish(sending(s))
		asked, err := message.Decode(w.events[0].Body)
		if err != nil {
			t.Fatal(err)
		}
		e := asked.(message.Pack).Events[0]
		if e.Type != webhook.SendType || e.Only != "s" || e.Source != "/sends/"+j.ID || string(e.Data) != `{"data":{"card":"spring"},"send":"`+j.ID+`"}` {
			t.Errorf("published %+v with %s", e, e.Data)
		}
	})
}

func TestADryRunOnlyCounts(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		w.people(150)
		j := sending(gold())
		j.DryRun = true
		wantCounts(t, w.finish(j), webhook.JobCounts{Matched: 75})
		if len(w.events) > 0 {
			t.Errorf("a dry run published %d messages", len(w.events))
		}
	})
}

func TestACountCountsTheProfilesOfASegment(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		w.people(450)
		if _, err := w.seed.PutSegment(t.Context(), webhook.Segment{Tenant: "acme", ID: "vip", Filter: json.RawMessage(`{"profile":{"plan":["gold"]}}`)}); err != nil {
			t.Fatal(err)
		}
		w.refuse = dice(5)
		j := webhook.Job{Tenant: "acme", ID: jobID, Kind: webhook.JobCount, DryRun: true, Send: &webhook.Send{Segment: "vip"}}
		wantCounts(t, w.finish(j), webhook.JobCounts{Matched: 225})
		if len(w.events) > 0 {
			t.Errorf("a count published %d messages", len(w.events))
		}
	})
}

func TestASendGoesToASegmentOrToSubjects(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		w.people(250)
		if _, err := w.seed.PutSegment(t.Context(), webhook.Segment{Tenant: "acme", ID: "vip", Filter: json.RawMessage(`{"profile":{"plan":["gold"]}}`)}); err != nil {
			t.Fatal(err)
		}
		wantCounts(t, w.finish(sending(webhook.Send{Segment: "vip"})), webhook.JobCounts{Matched: 125, Sent: 125})
		var subjects []string
		for i := range 230 {
			subjects = append(subjects, fmt.Sprint("someone ", i))
		}
		j := sending(webhook.Send{Subjects: subjects})
		j.ID = jobID[:len(jobID)-1] + "2"
		wantCounts(t, w.finish(j), webhook.JobCounts{Matched: 230, Sent: 230})
		got := w.published()
		if len(got) != 125+230 {
			t.Errorf("%d subjects got events, want %d", len(got), 125+230)
		}
		for subject, times := range got {
			if times != 1 {
				t.Errorf("the event of %s was published %d times, without a fault", subject, times)
			}
		}
		gone := sending(webhook.Send{Segment: "none"})
		gone.ID = jobID[:len(jobID)-1] + "3"
		if j := w.finish(gone); j.Status != webhook.JobStopped || j.Detail == "" {
			t.Errorf("a send to a segment that is no more is %s: %s", j.Status, j.Detail)
		}
	})
}

func TestASendBeginsWhenItIsToAndKeepsItsRate(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		w.people(400)
		s := gold()
		s.At, s.Rate = w.clock.Add(40*time.Hour), 10
		began := time.Time{}
		w.watch = func(j webhook.Job) {
			if j.Counts.Sent > 0 && began.IsZero() {
				began = w.clock
			}
		}
		w.finish(sending(s))
		if began.Before(s.At) || w.clock.Sub(s.At) < 15*time.Second {
			t.Errorf("began at %s and ended %s after its time, want it to begin at %s and to take 20 seconds", began, w.clock.Sub(s.At), s.At)
		}
	})
}

func TestASendThatIsStoppedPublishesNoMore(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		w.people(600)
		w.watch = func(j webhook.Job) {
			if j.Counts.Sent > 0 && j.Status == webhook.JobRunning {
				j.Status = webhook.JobStopped
				if err := w.seed.SaveJob(t.Context(), j); err != nil {
					t.Fatal(err)
				}
			}
		}
		j := w.finish(sending(gold()))
		if got := len(w.published()); j.Status != webhook.JobStopped || int64(got) != j.Counts.Sent || got == 300 {
			t.Errorf("%d events after a send that is %s with counts %+v", got, j.Status, j.Counts)
		}
	})
}

func TestASendReachesEachAtTheirOwnLocalTime(t *testing.T) {
	for name, send := range map[string]webhook.Send{"a group": gold(), "subjects": {Subjects: []string{"u00000", "u00002", "u00004", "u00006", "u00008", "nobody"}}} {
		t.Run(name, func(t *testing.T) {
			onEachStore(t, func(t *testing.T, w *world) { sendLocally(t, w, send) })
		})
	}
}

// sendLocally plays a send at 10:00 by the clock of each.
func sendLocally(t *testing.T, w *world, send webhook.Send) {
	w.people(10)
	zones := map[string]string{"u00000": "Europe/Rome", "u00002": "Asia/Tokyo", "u00004": "America/New_York", "u00006": "Mars/Base", "u00008": "Europe/Rome"}
	for subject, zone := range zones {
		p := webhook.Profile{Tenant: "acme", Subject: subject, Attributes: json.RawMessage(fmt.Sprintf(`{"plan":"gold","tz":%q}`, zone)), Revision: 2}
		if err := w.seed.SaveProfile(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	w.refuse = dice(5)
	w.clock = time.Date(2027, 3, 14, 0, 0, 0, 0, time.UTC) // New York's clocks change on that day
	send.LocalTime, send.Zone, send.DefaultZone = "10:00", "profile.tz", "UTC"
	first := map[string]time.Time{}
	seen := 0
	w.watch = func(webhook.Job) {
		for ; seen < len(w.events); seen++ {
			asked, err := message.Decode(w.events[seen].Body)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range asked.(message.Pack).Events {
				if first[e.Subject].IsZero() {
					first[e.Subject] = w.clock
				}
				if !e.AcceptedAt.Equal(e.Time) || w.clock.Sub(e.Time) < 0 || w.clock.Sub(e.Time) > time.Hour {
					t.Errorf("%s's event is of %s, published at %s", e.Subject, e.Time, w.clock)
				}
			}
		}
	}
	j := w.finish(sending(send))
	at := func(hour int) time.Time { return time.Date(2027, 3, 14, hour, 0, 0, 0, time.UTC) }
	want := map[string]time.Time{"u00000": at(9), "u00002": at(1), "u00004": at(14), "u00006": at(10), "u00008": at(9)}
	if send.Subjects != nil {
		want["nobody"] = at(10)
	}
	wantCounts(t, j, webhook.JobCounts{Matched: int64(len(want)), Sent: int64(len(want))})
	for subject, due := range want {
		if got := first[subject]; got.Before(due) || got.Sub(due) > time.Hour {
			t.Errorf("%s got it at %s, want it at %s", subject, got, due)
		}
	}
	if got := w.published(); len(got) != len(want) {
		t.Errorf("%v got events, want %v", got, want)
	}
}

func TestASendThatIsPausedGoesOnWhereItWas(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *world) {
		w.people(600)
		w.watch = func(j webhook.Job) {
			if j.Counts.Sent > 0 && j.Status == webhook.JobRunning {
				j.Status = webhook.JobPaused
				if err := w.seed.SaveJob(t.Context(), j); err != nil {
					t.Fatal(err)
				}
			}
		}
		j := w.finish(sending(gold()))
		if got := len(w.published()); j.Status != webhook.JobPaused || got != int(j.Counts.Sent) || got == 300 {
			t.Fatalf("%d events after a send that is %s with counts %+v", got, j.Status, j.Counts)
		}
		w.watch, j.Status = nil, webhook.JobRunning
		if err := w.seed.SaveJob(t.Context(), j); err != nil {
			t.Fatal(err)
		}
		w.pending = append(w.pending, queue.Message{Body: message.NextSlice(j).Encode()})
		w.run()
		wantCounts(t, w.job(j.Tenant, j.ID), webhook.JobCounts{Matched: 300, Sent: 300})
		for subject, times := range w.published() {
			if times != 1 {
				t.Errorf("the event of %s was published %d times", subject, times)
			}
		}
	})
}

func (w *world) take(messages []queue.Message) { w.events = append(w.events, messages...) }
