package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// story is one file of scenarios/; see the package comment.
type story struct {
	About       string              `json:"about"`
	Subscribers map[string][]answer `json:"subscribers"`
	Endpoints   map[string][]answer `json:"endpoints"`
	Steps       []step              `json:"steps"`
}

// answer is how a subscriber answers one callback.
type answer struct {
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    json.RawMessage   `json:"body"`
	Delay   duration          `json:"delay"`
}

// step is one line of a story: one of Call, Answers, Receive, Advance, Redrive.
type step struct {
	Call    string              `json:"call"`
	Answers map[string][]answer `json:"answers"`
	Receive string              `json:"receive"`
	Advance duration            `json:"advance"`
	Redrive int                 `json:"redrive"`

	// of a call
	Headers map[string]string `json:"headers"`
	Body    json.RawMessage   `json:"body"`
	Text    string            `json:"text"`
	Times   int               `json:"times"`
	Status  int               `json:"status"`
	Want    any               `json:"want"`
	Until   bool              `json:"until"`
	Secret  string            `json:"secret"`
	Spaced  duration          `json:"spaced"`

	// of a receive
	Count int       `json:"count"`
	IDs   int       `json:"ids"`
	Each  *content  `json:"each"`
	Got   []content `json:"got"`
}

// content is what a callback contains.
type content struct {
	Headers map[string]any `json:"headers"`
	Body    any            `json:"body"`
	Text    string         `json:"text"` // the whole body, byte for byte
}

// duration is a time.Duration that is written like "1s".
type duration time.Duration

func (d *duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	*d = duration(v)
	return err
}

// stories reads scenarios/, by file name.
func stories(t *testing.T) map[string]story {
	t.Helper()
	files, err := filepath.Glob("scenarios/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	all := map[string]story{}
	for _, file := range files {
		all[strings.TrimSuffix(filepath.Base(file), ".json")] = readStory(t, file)
	}
	return all
}

func readStory(t *testing.T, file string) (s story) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	d.UseNumber()
	if err := d.Decode(&s); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	for i, st := range s.Steps {
		if err := st.check(); err != nil {
			t.Fatalf("%s: step %d: %v", file, i+1, err)
		}
	}
	return s
}

// check refuses a step that would prove nothing.
func (s step) check() error {
	kinds := 0
	for _, is := range []bool{s.Call != "", s.Answers != nil, s.Receive != "", s.Advance > 0, s.Redrive > 0} {
		if is {
			kinds++
		}
	}
	switch {
	case kinds != 1:
		return fmt.Errorf("want one thing to do, got %d", kinds)
	case s.Call != "" && http.StatusText(s.Status) == "":
		return fmt.Errorf("%s: want a status", s.Call)
	case s.Call != "" && !strings.Contains(s.Call, " /"):
		return fmt.Errorf("%s: want a method and a path", s.Call)
	}
	return nil
}
