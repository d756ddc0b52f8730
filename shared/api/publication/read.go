// Package publication reads published events: plain events, and CloudEvents in
// all their modes.
package publication

import (
	"crypto/rand"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/webhook"
)

// Publication is one request to publish, read and found good.
type Publication struct {
	Events  []webhook.Event // none for an empty batch of CloudEvents
	Repeats []int           // those that say again what one before them says, under the same id
	Single  bool            // not sent as an array: answered with one id
	Size    int             // bytes of the body
	Key     string          // the request's Idempotency-Key; "" for none
	Digest  string          // with a Key: of what all events say
	chosen  []bool          // by event: its id would be another at each request
}

// Repeatable reports whether the i-th event has the same id if the request is
// repeated.
func (p Publication) Repeatable(i int) bool { return !p.chosen[i] }

// The content types of publications beside application/json.
const (
	structuredType = "application/cloudevents+json"
	batchType      = "application/cloudevents-batch+json"
)

// Read takes a request apart, in the mode that its headers name. What it
// returns is complete: every event has its identity, time and nonce.
func Read(r *httpapi.Request, now time.Time) (Publication, error) {
	media, err := r.MediaType()
	if err != nil {
		return Publication{}, err
	}
	key, err := IdempotencyKey(r)
	if err != nil {
		return Publication{}, err
	}
	history, err := mode(r.Header)
	if err != nil {
		return Publication{}, err
	}
	d := &decoder{tenant: r.Tenant, key: key, came: now, now: now.UTC().Truncate(time.Millisecond), history: history}
	p, err := d.read(r, media)
	if err != nil {
		return p, err
	}
	p.chosen = d.chosen
	if p.Key = key; key != "" {
		p.Digest = contentOf(d.contents...)
	}
	p.Repeats, err = repeats(p.Events)
	return p, err
}

// read reads the publication in the mode that its headers name.
func (d *decoder) read(r *httpapi.Request, media string) (Publication, error) {
	switch {
	case media == structuredType, media == batchType:
		return d.body(r, d.structured, media == batchType, media == structuredType)
	case isBinary(r.Header):
		return d.binary(r, media)
	case media == "application/json":
		return d.body(r, d.plain, true, true)
	}
	return Publication{}, httpapi.UnsupportedMediaType.Problem("Send application/json, a CloudEvent as " + structuredType + " or " + batchType + ", or one in binary mode with ce- headers.")
}

// One reads one event inside another request, as {"type","data",…} or as a
// CloudEvent in JSON format, and notes what is wrong with it.
func One(v strictjson.Value, tenant string, now time.Time, faults *httpapi.Faults) webhook.Event {
	d := &decoder{tenant: tenant, came: now, now: now.UTC().Truncate(time.Millisecond)}
	if v.Kind() != strictjson.Object {
		faults.Add("event", "want an object")
		return webhook.Event{}
	}
	read := d.plain
	for name := range v.Members() {
		if name == "specversion" {
			read = d.structured
		}
	}
	var own httpapi.Faults
	e := d.complete(read(v, &own), 0)
	faults.AddAll("event.", own.List())
	return e
}

// decoder makes events out of what one request holds.
type decoder struct {
	tenant string
	key    string    // Idempotency-Key; "" for none
	came   time.Time // when the request did
	now    time.Time // that, in whole milliseconds

	history webhook.History // of what does not say it itself

	contents []string // with a key: what each event says, hashed
	chosen   []bool   // by event: its id is a new one of ours
}

// element reads one event out of a JSON object and notes what is wrong with it.
type element func(v strictjson.Value, faults *httpapi.Faults) webhook.Event

// body reads a publication whose body is one event, or an array of them.
func (d *decoder) body(r *httpapi.Request, read element, many, one bool) (Publication, error) {
	text, err := r.Read()
	if err != nil {
		return Publication{}, err
	}
	v, err := httpapi.ParseJSON(text)
	if err != nil {
		return Publication{}, err
	}
	switch kind := v.Kind(); {
	case kind == strictjson.Object && one:
		e, err := d.one(v, read)
		return Publication{Events: []webhook.Event{e}, Single: true, Size: len(text)}, err
	case kind == strictjson.Array && many && !one && v.Len(1) == 0: // CloudEvents allows an empty batch
		return Publication{Size: len(text)}, nil
	case kind == strictjson.Array && many:
		events, err := d.array(v, read)
		return Publication{Events: events, Size: len(text)}, err
	case many && one:
		return Publication{}, wrongBody("want an object or an array")
	case many:
		return Publication{}, wrongBody("want an array")
	}
	return Publication{}, wrongBody("want an object")
}

func wrongBody(detail string) error {
	return httpapi.Invalid(httpapi.FieldError{Field: "body", Detail: detail})
}

func (d *decoder) one(v strictjson.Value, read element) (webhook.Event, error) {
	if len(v) > webhook.MaxEventSize {
		return webhook.Event{}, tooLarge("body")
	}
	var faults httpapi.Faults
	e := d.complete(read(v, &faults), 0)
	return e, faults.Err()
}

// array reads all elements or refuses all.
func (d *decoder) array(v strictjson.Value, read element) ([]webhook.Event, error) {
	n := v.Len(webhook.MaxBatch)
	if n == 0 || n > webhook.MaxBatch {
		return nil, wrongBody(fmt.Sprintf("want 1 to %d events", webhook.MaxBatch))
	}
	events := make([]webhook.Event, 0, n)
	var faults httpapi.Faults
	for i, element := range v.Elements() {
		place := "[" + strconv.Itoa(i) + "]"
		if len(element) > webhook.MaxEventSize {
			return nil, tooLarge(place)
		}
		if element.Kind() != strictjson.Object {
			faults.Add(place, "want an object")
			continue
		}
		var own httpapi.Faults
		events = append(events, d.complete(read(element, &own), i))
		if own.Any() {
			faults.AddAll(place+".", own.List())
		}
	}
	return events, faults.Err()
}

func tooLarge(place string) error {
	return httpapi.EventTooLarge.Problem(fmt.Sprintf("An event is larger than %d bytes.", webhook.MaxEventSize),
		httpapi.FieldError{Field: place, Detail: fmt.Sprintf("want at most %d bytes", webhook.MaxEventSize)})
}

// complete gives the n-th event of the request what its publisher left to us.
func (d *decoder) complete(e webhook.Event, n int) webhook.Event {
	content := ""
	if d.key != "" {
		content = contentOf(e.ID, e.Source, e.Type, e.Subject, e.Time.String(), string(e.Extensions), string(e.Data))
		if e.History != 0 {
			content = contentOf(content, strings.Join(e.History.Names(), " "))
		}
		d.contents = append(d.contents, content)
	}
	e.Tenant, e.AcceptedAt, e.Order, e.Nonce = d.tenant, d.now, webhook.OrderOf(d.came, n), rand.Text()
	if e.Source == "" {
		e.Source = webhook.DefaultSource(d.tenant)
	}
	if e.Time.IsZero() {
		e.Time = d.now
	}
	d.chosen = append(d.chosen, e.ID == "" && d.key == "")
	switch {
	case e.ID != "":
	case d.key != "":
		e.ID = webhook.RepeatableID(d.tenant, d.key, n, content)
	default:
		e.Nonce = d.newNonce()
		e.ID = webhook.MadeID(e.Nonce)
	}
	return e
}

// newNonce is the nonce of an event whose id is left to us. Its id is made of it, so
// it is a ULID: sortable by time, and not to be guessed.
func (d *decoder) newNonce() string { return ulid.MustNew(ulid.Timestamp(d.now), rand.Reader).String() }
