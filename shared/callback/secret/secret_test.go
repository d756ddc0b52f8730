package secret

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestSecretStringsPrintAsStars(t *testing.T) {
	s := String("hunter2")
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		if got := fmt.Sprintf(verb, s); got != "***" {
			t.Errorf("%s = %s, want ***", verb, got)
		}
	}
	var log bytes.Buffer
	for _, logger := range []*slog.Logger{slog.New(slog.NewJSONHandler(&log, nil)), slog.New(slog.NewTextHandler(&log, nil))} {
		logger.Info("in", "s", s, "nested", struct{ S String }{s}, "map", map[string]String{"k": s})
	}
	asJSON, err := json.Marshal(map[string][]String{"k": {s}})
	if err != nil {
		t.Fatal(err)
	}
	all := log.String() + string(asJSON) + fmt.Sprint(struct{ S *String }{&s}, []String{s}, fmt.Errorf("x: %v", s)) + s.String()
	if strings.Contains(all, "hunter2") || !strings.Contains(all, "***") {
		t.Errorf("the secret shows: %s", all)
	}
	if s.Reveal() != "hunter2" {
		t.Errorf("Reveal = %q, want the secret", s.Reveal())
	}
}
