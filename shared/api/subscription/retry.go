package subscription

import (
	"errors"
	"fmt"
	"time"

	"github.com/postino/postino/shared/callback/retry"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/webhook"
)

// The bounds and the default of retry.timeout.
const (
	minTimeout     = time.Second
	defaultTimeout = 15 * time.Second
)

func defaultRetry() webhook.RetrySpec {
	return webhook.RetrySpec{
		Schedule: retry.DefaultSchedule().Strings(), Timeout: retry.FormatDuration(defaultTimeout),
		Success: []string{"2xx"}, Permanent: []string{},
	}
}

// readRetry reads the whole policy: what it does not name has its default.
func readRetry(d *draft, v strictjson.Value) {
	spec := defaultRetry()
	d.object("retry", v, map[string]func(string, strictjson.Value){
		"schedule": func(path string, v strictjson.Value) {
			spec.Schedule = d.list(path, v, retry.MaxSteps, checkStep)
		},
		"timeout": func(path string, v strictjson.Value) {
			spec.Timeout = d.timeout(path, v)
		},
		"success": func(path string, v strictjson.Value) {
			if spec.Success = d.list(path, v, retry.MaxCodes, checkSuccess); len(spec.Success) == 0 {
				d.faults.Add(path, "want at least one status; leave it out for 2xx")
			}
		},
		"permanent": func(path string, v strictjson.Value) {
			spec.Permanent = d.list(path, v, retry.MaxCodes, checkPermanent)
		},
	})
	d.Subscription.Retry = spec
}

// list reads a list of strings and checks each.
func (d *draft) list(path string, v strictjson.Value, most int, check func(string) error) []string {
	if v.Kind() != strictjson.Array || v.Len(most) > most {
		d.faults.Add(path, "want a list of at most %d", most)
		return nil
	}
	list := []string{}
	for i, element := range v.Elements() {
		s, ok := element.Text()
		err := errors.New("want a string")
		if ok {
			err = check(s)
		}
		if err != nil {
			d.faults.Add(fmt.Sprintf("%s[%d]", path, i), "%s", err)
		}
		list = append(list, s)
	}
	return list
}

func checkStep(s string) error {
	_, err := retry.ParseSchedule([]string{s})
	return errors.Unwrap(err) // without the index in a list of one
}

func checkSuccess(s string) error {
	return errors.Unwrap(retry.Policy{Success: []string{s}}.Validate())
}

func checkPermanent(s string) error {
	return errors.Unwrap(retry.Policy{Permanent: []string{s}}.Validate())
}

func (d *draft) timeout(path string, v strictjson.Value) string {
	s, ok := v.Text()
	if !ok {
		d.faults.Add(path, "want a string")
		return ""
	}
	t, err := retry.ParseDuration(s)
	switch {
	case err != nil:
		d.faults.Add(path, "%s", err)
	case t < minTimeout || t > retry.MaxTimeout:
		d.faults.Add(path, "want 1s to 25s")
	}
	return s
}
