package queue_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/postino/postino/shared/queue"
)

func TestCheckNamesWhatIsWrong(t *testing.T) {
	body := []byte("x")
	for _, tt := range []struct {
		name    string
		message queue.Message
		want    error
	}{
		{"the least", queue.Message{Body: body, Group: "g"}, nil},
		{"the most", queue.Message{Body: make([]byte, queue.MaxBody), Group: strings.Repeat("g", queue.MaxGroup), Delay: queue.MaxDelay}, nil},
		{"no group", queue.Message{Body: body}, queue.ErrGroup},
		{"a long group", queue.Message{Body: body, Group: strings.Repeat("g", queue.MaxGroup+1)}, queue.ErrGroup},
		{"a group of other letters", queue.Message{Body: body, Group: "é"}, queue.ErrGroup},
		{"a group with a space", queue.Message{Body: body, Group: "a b"}, queue.ErrGroup},
		{"a long delay", queue.Message{Body: body, Group: "g", Delay: queue.MaxDelay + 1}, queue.ErrDelay},
		{"a negative delay", queue.Message{Body: body, Group: "g", Delay: -1}, queue.ErrDelay},
		{"no body", queue.Message{Group: "g"}, queue.ErrTooLarge},
		{"a large body", queue.Message{Body: make([]byte, queue.MaxBody+1), Group: "g"}, queue.ErrTooLarge},
	} {
		if err := tt.message.Check(); !errors.Is(err, tt.want) {
			t.Errorf("%s: Check() = %v, want %v", tt.name, err, tt.want)
		}
	}
}

func TestAGroupsOwnerStandsBeforeItsFirstSlash(t *testing.T) {
	for group, want := range map[string]string{"acme": "acme", "acme/orders": "acme", "acme/a/b": "acme", "/x": ""} {
		if got := queue.Owner(group); got != want {
			t.Errorf("Owner(%q) = %q, want %q", group, got, want)
		}
	}
}

func TestUnsentCollectsInOrder(t *testing.T) {
	cause := errors.New("cause")
	var u queue.Unsent
	if err := u.Result(3); err != nil {
		t.Errorf("Result without any = %v", err)
	}
	u.Add(2, cause)
	u.Add(0, errors.New("later"))
	err := u.Result(3)
	if want := "2 messages not sent: cause"; err == nil || err.Error() != want || !errors.Is(err, cause) || u.Indexes[0] != 0 {
		t.Errorf("Result = %v of %v, want %s", err, u.Indexes, want)
	}
	u.Add(1, cause)
	if err := u.Result(3); err != cause {
		t.Errorf("Result of all = %v, want the cause", err)
	}
}
