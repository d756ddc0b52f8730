package queuetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/shared/queue"
)

func text(body string) queue.Message { return queue.Message{Body: []byte(body), Group: "group"} }

func quote(body []byte) string {
	if len(body) > 100 {
		return fmt.Sprintf("%q… (%d bytes)", body[:100], len(body))
	}
	return fmt.Sprintf("%q", body)
}

func testArrival(t *testing.T, s Suite) {
	q, _ := s.Open(t, Options{Visibility: 2 * time.Second})
	send(t, q, queue.Message{Body: []byte("hello"), Group: "acme/s_1"})
	m := expect(t, q, "hello")[0]
	if queue.Owner(m.Group) != "acme" || s.Fair && m.Group != "acme/s_1" || m.ID == "" || m.Receipt == "" || m.Received != 1 {
		t.Errorf("received group %q, id %q, receipt %q, received %d", m.Group, m.ID, m.Receipt, m.Received)
	}
	remove(t, q, m)
	time.Sleep(3 * time.Second)
	expectNone(t, q)
}

func testBytes(t *testing.T, s Suite) {
	q := s.open(t)
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	bodies := []string{
		string(all), "\x00", " ", "\n", "\xff\xfe", "caf\xe9", "héllo ✓", "\ufffe\uffff", "{\"a\":\"\x01\"}",
		`{"kind":"retry"}`, "[]", "z", "=", "~", "eA==", "H4sIAAAAAAAA/", "&lt;x/>&amp;", "a\r\nb\tc", " lead and trail ",
		strings.Repeat("a", 5000), strings.Repeat("\x00", 5000),
	}
	var messages []queue.Message
	for _, b := range bodies {
		messages = append(messages, text(b))
	}
	send(t, q, messages...)
	remove(t, q, expect(t, q, bodies...)...)
}

// noise returns n bytes that do not compress, the same at each run.
func noise(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{1}).Read(b)
	return b
}

func testLargestBody(t *testing.T, s Suite) {
	q := s.open(t)
	body := noise(queue.MaxBody)
	send(t, q, queue.Message{Body: body, Group: "group"})
	if got := receive(t, q, 1); len(got) != 1 || !bytes.Equal(got[0].Body, body) {
		t.Errorf("received %d messages, want one with the %d bytes that were sent", len(got), len(body))
	}
}

// unsent checks that a Send refused exactly these indexes, for this reason.
func unsent(t *testing.T, err error, want error, indexes ...int) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("Send: %v, want %v", err, want)
	}
	var u *queue.Unsent
	if !errors.As(err, &u) || !slices.Equal(u.Indexes, indexes) {
		t.Errorf("Send: %+v, want the indexes %d unsent", err, indexes)
	}
}

func testWrongBody(t *testing.T, s Suite) {
	q := s.open(t)
	large := queue.Message{Body: noise(queue.MaxBody + 1), Group: "group"}
	err := q.Send(t.Context(), []queue.Message{text("a"), large, text("b"), text(""), text("c")})
	unsent(t, err, queue.ErrTooLarge, 1, 3)
	expect(t, q, "a", "b", "c")
	if err := q.Send(t.Context(), []queue.Message{large}); !errors.Is(err, queue.ErrTooLarge) {
		t.Errorf("Send of only a large body: %v, want %v", err, queue.ErrTooLarge)
	}
}

func testWrongDelay(t *testing.T, s Suite) {
	q := s.open(t)
	late, early, latest := text("late"), text("early"), text("latest")
	late.Delay, early.Delay, latest.Delay = queue.MaxDelay+1, -1, queue.MaxDelay
	unsent(t, q.Send(t.Context(), []queue.Message{late, text("a"), early, latest}), queue.ErrDelay, 0, 2)
	expect(t, q, "a")
}

func testWrongGroup(t *testing.T, s Suite) {
	q := s.open(t)
	for _, group := range []string{"", "a b", "a\n", "é", "\x7f", strings.Repeat("g", queue.MaxGroup+1)} {
		err := q.Send(t.Context(), []queue.Message{text("a"), {Body: []byte("b"), Group: group}, text("")})
		if !errors.Is(err, queue.ErrGroup) {
			t.Errorf("Send with group %q: %v, want %v", group, err, queue.ErrGroup)
		}
	}
	send(t, q, queue.Message{Body: []byte("longest"), Group: strings.Repeat("~", queue.MaxGroup)})
	expect(t, q, "longest")
}

func testReusedBody(t *testing.T, s Suite) {
	q := s.open(t)
	m := text("before")
	send(t, q, m)
	copy(m.Body, "after!")
	expect(t, q, "before")
}

func testManyPerSend(t *testing.T, s Suite) {
	q := s.open(t)
	var messages []queue.Message
	var bodies []string
	for i := range 57 {
		body := fmt.Sprintf("%d %s", i, noise(40_000))
		bodies = append(bodies, body)
		messages = append(messages, queue.Message{Body: []byte(body), Group: fmt.Sprint("group-", i%5)})
	}
	send(t, q, messages...)
	remove(t, q, expect(t, q, bodies...)...)
}

func testEmptySend(t *testing.T, s Suite) {
	q := s.open(t)
	send(t, q)
	if err := q.Delete(t.Context(), nil); err != nil {
		t.Errorf("Delete of nothing: %v", err)
	}
	expectNone(t, q)
}

func testCanceledSend(t *testing.T, s Suite) {
	q := s.open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := q.Send(ctx, []queue.Message{text("a")}); !errors.Is(err, context.Canceled) {
		t.Errorf("Send: %v, want %v", err, context.Canceled)
	}
	expectNone(t, q)
}
