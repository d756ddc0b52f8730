// Package recipes runs the recipes of events/recipes on a server: it
// subscribes, publishes the events, advances the clock, and compares each
// request that arrives with the one that the recipe expects.
//
// A recipe is one JSON file; docs/recipes.md is made from them all. Its urls
// are those of the real receivers: a [Player] sends the requests to a receiver
// of its own instead, and nothing leaves the machine.
package recipes

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/postino/postino/events"
	"github.com/postino/postino/shared/language/suggest"
)

// Recipe is one file. Strings of events and expected requests may say $start,
// the time at which the recipe begins, $start+90m and $start-90m; expected requests
// also $delivery and $uuid, the request's delivery.id and delivery.uuid.
type Recipe struct {
	Name          string                     `json:"-"`                   // of its file, without .json
	Title         string                     `json:"title"`               // in a few words
	About         string                     `json:"about"`               // what it does
	Change        []string                   `json:"change"`              // what to change for one's own use
	Secrets       map[string]string          `json:"secrets,omitempty"`   // to set first, with values for show
	Setup         []Call                     `json:"setup,omitempty"`     // what the subscriptions need: computed attributes, segments, campaigns
	Subscriptions []json.RawMessage          `json:"subscriptions"`       // as they are posted to the API, each with an id
	AnyOrder      bool                       `json:"any_order,omitempty"` // the events of a step may as well come in another order
	Answers       map[string][]int           `json:"answers,omitempty"`   // statuses by url without query, the last one for ever; 200 where nothing is said
	Bodies        map[string]json.RawMessage `json:"bodies,omitempty"`    // of the answers, by url without query; none where nothing is said
	Story         []Step                     `json:"story"`
}

// Call is a request to the tenant's part of the API.
type Call struct {
	Call string          `json:"call"` // such as "PUT /attributes/modes"
	Body json.RawMessage `json:"body,omitempty"`
}

// Sight is what the API shows.
type Sight struct {
	Get   string          `json:"get"`   // a path in the tenant's part of the API
	Shows json.RawMessage `json:"shows"` // members that the answer has, among others
}

// Step is what happens next and what follows from it, completely.
type Step struct {
	About    string            `json:"about"`              // what happens, in a sentence
	After    string            `json:"after,omitempty"`    // how far the clock moves before
	Eve      string            `json:"eve,omitempty"`      // "Europe/Rome forward": it moves to noon there, of the day before the clocks there are next put forward, or back
	Calls    []Call            `json:"calls,omitempty"`    // made before the events
	Events   []json.RawMessage `json:"events,omitempty"`   // as they are published; id and time may be left to the player
	Times    int               `json:"times,omitempty"`    // each event happens so often, under ids of their own; 0 is once
	Requests []Request         `json:"requests,omitempty"` // all that arrive, in any order
	Reasons  []Reason          `json:"reasons,omitempty"`  // why events led to no request, or to one that was in vain
	Sees     []Sight           `json:"sees,omitempty"`     // what the API shows then
}

// Request is one that must arrive.
type Request struct {
	Subscription string            `json:"subscription"`      // whose secret verifies it
	Method       string            `json:"method,omitempty"`  // "" is POST
	URL          string            `json:"url"`               // path and query as they are sent
	Headers      map[string]string `json:"headers,omitempty"` // all but those that each request has, which may be named as well; Basic credentials are decoded
	Body         json.RawMessage   `json:"body"`              // to the byte; a string is raw text
}

// Reason is why an event and a subscription led to no successful request.
type Reason struct {
	Event        string `json:"event"`
	Subscription string `json:"subscription"`
	Reason       string `json:"reason"`
}

const folder = "recipes"

// Names lists the recipes.
func Names() []string {
	files, err := events.Files.ReadDir(folder)
	if err != nil {
		panic(err) // it is part of the program
	}
	var names []string
	for _, f := range files {
		names = append(names, strings.TrimSuffix(f.Name(), ".json"))
	}
	return names
}

// Load reads a recipe. An unknown name is an error that lists those known.
func Load(name string) (Recipe, error) {
	if names := Names(); !slices.Contains(names, name) {
		return Recipe{}, fmt.Errorf("no recipe %q: want one of %s%s", name, strings.Join(names, ", "), suggest.Hint(name, names))
	}
	text, err := events.Files.ReadFile(path.Join(folder, name+".json"))
	if err != nil {
		return Recipe{}, err
	}
	r := Recipe{Name: name}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return Recipe{}, fmt.Errorf("recipe %s: %w", name, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return Recipe{}, fmt.Errorf("recipe %s: more than one JSON value", name)
	}
	return r, nil
}

// Requests counts the requests that the recipe promises.
func (r Recipe) Requests() (n int) {
	for _, s := range r.Story {
		n += len(s.Requests)
	}
	return n
}
