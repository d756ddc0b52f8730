package manage

import (
	"fmt"
	"net/http"

	"golang.org/x/sync/errgroup"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/language/attribute"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/people"
	"github.com/postino/postino/shared/webhook"
)

// Of a request that changes many profiles.
const (
	maxProfiles    = 500
	profilesAtOnce = 16
)

// oneOfMany is one profile of such a request.
type oneOfMany struct {
	subject string
	wish    wishedProfile
}

// post merges attributes into many profiles. If one cannot be, none is
// changed. A request that failed half-way can be repeated: merging twice is merging
// once.
func (h *profiles) post(r *httpapi.Request) (httpapi.Response, error) {
	body, err := r.JSON()
	if err != nil {
		return httpapi.Response{}, err
	}
	many, err := readProfiles(body)
	if err != nil {
		return httpapi.Response{}, err
	}
	if err := h.ensureTenant(r); err != nil {
		return httpapi.Response{}, err
	}
	d, err := h.definitions.compiled(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	if err := h.tryAll(r, d, many); err != nil {
		return httpapi.Response{}, err
	}
	all, ctx := errgroup.WithContext(r.Context())
	all.SetLimit(profilesAtOnce)
	for _, one := range many {
		all.Go(func() error {
			return retry(ctx, func() error {
				_, err := h.save(r, d, one.subject, one.wish)
				return err
			})
		})
	}
	if err := all.Wait(); err != nil {
		return httpapi.Response{}, err
	}
	return httpapi.Response{Status: http.StatusOK, Body: map[string]int{"stored": len(many)}}, nil
}

// tryAll judges all changes before the first is stored.
func (h *profiles) tryAll(r *httpapi.Request, d *people.Definitions, many []oneOfMany) error {
	subjects := make([]string, len(many))
	for i, one := range many {
		subjects[i] = one.subject
	}
	known, err := h.Store.Profiles(r.Context(), r.Tenant, subjects)
	if err != nil {
		return fmt.Errorf("read profiles: %w", err)
	}
	var faults httpapi.Faults
	for _, one := range many {
		p, ok := known[one.subject]
		if !ok {
			p = webhook.Profile{Tenant: r.Tenant, Subject: one.subject}
		}
		if _, err := h.changed(d, p, one.wish); err != nil {
			problem, ok := err.(*httpapi.Problem)
			if !ok {
				return err
			}
			faults.AddAll("", problem.Errors)
		}
	}
	return faults.Err()
}

// readProfiles reads {"profiles": [{"subject", "attributes"}]}.
func readProfiles(body strictjson.Value) (many []oneOfMany, err error) {
	var faults httpapi.Faults
	var list strictjson.Value
	if body.Kind() != strictjson.Object {
		faults.Add("body", "want an object")
	}
	for name, v := range body.Members() {
		if name != "profiles" {
			faults.Unknown("", name, []string{"profiles"})
			continue
		}
		list = v
	}
	if n := list.Len(maxProfiles + 1); !faults.Any() && (list == nil || list.Kind() != strictjson.Array || n == 0 || n > maxProfiles) {
		faults.Add("profiles", "want a list of 1 to %d profiles", maxProfiles)
	}
	if faults.Any() {
		return nil, faults.Err()
	}
	first := map[string]int{}
	for i, v := range list.Elements() {
		one := readOne(v, fmt.Sprintf("profiles[%d]", i), &faults)
		if at, twice := first[one.subject]; twice {
			faults.Add(fmt.Sprintf("profiles[%d].subject", i), "is that of profiles[%d]: join their attributes", at)
		}
		first[one.subject] = i
		many = append(many, one)
	}
	return many, faults.Err()
}

func readOne(v strictjson.Value, at string, faults *httpapi.Faults) (one oneOfMany) {
	one.wish = wishedProfile{field: at + ".attributes", change: func(now, given people.Attributes) people.Attributes {
		now.Merge(given)
		return now
	}}
	if v.Kind() != strictjson.Object {
		faults.Add(at, "want an object")
		return one
	}
	for name, member := range v.Members() {
		switch name {
		case "subject":
			one.subject, _ = member.Text()
			if wrong := attribute.Subject(one.subject); wrong != "" {
				faults.Add(at+".subject", "%s", wrong)
			}
		case "attributes":
			one.wish.given = member
		default:
			faults.Unknown(at, name, []string{"subject", "attributes"})
		}
	}
	if one.subject == "" {
		faults.Add(at+".subject", "required")
	}
	if one.wish.given == nil {
		faults.Add(at+".attributes", "required")
	}
	return one
}
