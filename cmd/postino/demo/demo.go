// Package demo shows what Postino does in one minute: it subscribes a small
// receiver, publishes the sample events, and prints each verified callback.
package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/postino/postino/events"
)

// Demo is one showing. All fields are required.
type Demo struct {
	URL string    // of the server, http://host:port
	Key string    // its admin key
	Out io.Writer // where each verified callback gets a line
}

const tenant = "demo"

// subscriptions are what the demo subscribes, by id, which is also the path
// that receives.
var subscriptions = []struct{ id, types, rest string }{
	{"orders", `["order.*"]`, ""},
	{"crm", `["user.signed_up","order.paid"]`, `,"request":{"format":"cloudevents"}`},
	{"audit", `["*"]`, ""},
}

// ifThis is what the demo shows of conditions: if somebody books a third
// flight, then their loyalty account gets ten points.
const (
	ifThis   = "third-flight"
	thenThat = `,"trigger":{"key":"subject","at":3,"distinct":"data.booking_id"},"request":{"body":{"user":"{{ subject }}","points":10,"reason":"flight {{ occasion.count }}"}}`
	traveler = "u1" // of the sample flight
)

// moreFlights follow the sample; one of the bookings is published twice.
var moreFlights = []string{"78", "78", "79"}

// wait bounds how long the demo waits for its callbacks.
const wait = 20 * time.Second

// Run shows the demo and returns when every callback has arrived.
func (d Demo) Run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	r, err := listen()
	if err != nil {
		return err
	}
	defer r.close()
	for _, s := range subscriptions {
		if err := d.subscribe(ctx, r, s.id, s.types, s.rest); err != nil {
			return fmt.Errorf("subscribe %s: %w", s.id, err)
		}
	}
	if err := d.subscribe(ctx, r, ifThis, `["flight.booked"]`, thenThat); err != nil {
		return fmt.Errorf("subscribe %s: %w", ifThis, err)
	}
	// A second showing counts from one again.
	if _, err := d.call(ctx, http.MethodDelete, "/subscriptions/"+ifThis+"/state/"+traveler, "", nil); err != nil {
		return err
	}
	expected, err := d.publish(ctx)
	if err != nil {
		return err
	}
	for n := 0; n < expected; n++ {
		select {
		case c := <-r.callbacks:
			fmt.Fprintf(d.Out, "  ✓ %-16s → /%-12s attempt %s, signature verified, webhook-id %s\n", c.kind, c.path, c.attempt, c.id)
			if c.path == ifThis {
				fmt.Fprintf(d.Out, "    if a third flight is booked, then: %s\n", c.body)
			}
		case <-ctx.Done():
			return fmt.Errorf("%d of %d callbacks arrived: %w", n, expected, ctx.Err())
		}
	}
	fmt.Fprintf(d.Out, "%d callbacks, each signed and verified. The server keeps running; stop it with Ctrl-C.\n", expected)
	address, err := d.console(ctx)
	if err == nil {
		fmt.Fprintf(d.Out, "See them in the console: %s\n", address)
	}
	return err
}

// console is the address of the console, signed in to the demo's tenant. The key
// is one of that tenant for a day, and behind the #, where no server sees it.
func (d Demo) console(ctx context.Context) (string, error) {
	answer, err := d.call(ctx, http.MethodPost, "/keys", "application/json", []byte(`{"role":"manage","name":"console of the demo","expires_in":"1d"}`))
	if err != nil {
		return "", fmt.Errorf("make a key for the console: %w", err)
	}
	var made struct{ Key string }
	if err := json.Unmarshal(answer, &made); err != nil {
		return "", err
	}
	return d.URL + "/console#key=" + made.Key, nil
}

func (d Demo) subscribe(ctx context.Context, r *receiver, id, types, rest string) error {
	body := fmt.Sprintf(`{"name":"demo %s","url":"%s/%s","types":%s%s}`, id, r.url, id, types, rest)
	if _, err := d.call(ctx, http.MethodPut, "/subscriptions/"+id, "application/json", []byte(body)); err != nil {
		return err
	}
	answer, err := d.call(ctx, http.MethodGet, "/subscriptions/"+id+"/secret", "", nil)
	if err != nil {
		return err
	}
	var secret struct{ Secret string }
	if err := json.Unmarshal(answer, &secret); err != nil {
		return err
	}
	return r.trust(id, secret.Secret)
}

// publish sends the samples, each under an id of its own, and more flights. It
// returns how many callbacks follow.
func (d Demo) publish(ctx context.Context) (expected int, err error) {
	files, err := events.Files.ReadDir("samples")
	if err != nil {
		return 0, err
	}
	run := fmt.Sprintf(`"id": "%d-`, time.Now().UnixMilli())
	for _, f := range files {
		body, err := events.Files.ReadFile(path.Join("samples", f.Name()))
		if err != nil {
			return 0, err
		}
		body = bytes.Replace(body, []byte(`"id": "`), []byte(run), 1) // a second showing shows new events
		media := "application/json"
		if bytes.Contains(body, []byte(`"specversion"`)) {
			media = "application/cloudevents+json"
		}
		if _, err := d.call(ctx, http.MethodPost, "/events", media, body); err != nil {
			return 0, fmt.Errorf("publish %s: %w", f.Name(), err)
		}
		name := strings.TrimSuffix(f.Name(), ".json")
		fmt.Fprintf(d.Out, "  published %s\n", name)
		expected += receivers(name)
	}
	for i, booking := range moreFlights {
		body := fmt.Sprintf(`{%sbooking-%d","type":"flight.booked","subject":"%s","data":{"booking_id":"%s"}}`, run, i, traveler, booking)
		if _, err := d.call(ctx, http.MethodPost, "/events", "application/json", []byte(body)); err != nil {
			return 0, fmt.Errorf("publish a flight: %w", err)
		}
		fmt.Fprintf(d.Out, "  published flight.booked, booking %s\n", booking)
		expected += receivers("flight.booked")
	}
	return expected + 1, nil // the third flight's own
}

// receivers counts the demo's subscriptions that want the type.
func receivers(name string) (n int) {
	for _, s := range subscriptions {
		var types []string
		json.Unmarshal([]byte(s.types), &types) // a constant
		for _, t := range types {
			prefix, open := strings.CutSuffix(t, "*")
			if t == name || open && strings.HasPrefix(name, prefix) {
				n++
				break
			}
		}
	}
	return n
}

// maxAnswer bounds what is read of the server's answers.
const maxAnswer = 1 << 20

func (d Demo) call(ctx context.Context, method, route, media string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, d.URL+"/v1/tenants/"+tenant+route, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+d.Key)
	if media != "" {
		req.Header.Set("Content-Type", media)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err == nil && resp.StatusCode >= 300 {
		err = fmt.Errorf("%s: %s", resp.Status, answer)
	}
	return answer, err
}
