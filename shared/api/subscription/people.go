package subscription

import (
	"slices"

	"github.com/postino/postino/shared/callback/render"
	"github.com/postino/postino/shared/language/pattern"
	"github.com/postino/postino/shared/language/quiet"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/webhook"
)

// ReadsProfile tells whether the filter of a subscription asks for the profile or
// the segments of a subject, and whether its templates read the profile.
func ReadsProfile(s webhook.Subscription) (filter, templates bool) {
	if len(s.Filter) > 0 {
		if p, err := pattern.CompileOver(pattern.WithProfile, s.Filter, "filter"); err == nil {
			_, filter = p.OfEvent()
		}
	}
	request, faults := render.Compile(s)
	return filter, len(faults) == 0 && request.ReadsProfile()
}

// QuietReadsProfile tells whether the zone of its quiet hours is that of the profile.
func QuietReadsProfile(s webhook.Subscription) bool {
	if len(s.Quiet) == 0 {
		return false
	}
	h, err := quiet.Read(strictjson.Value(s.Quiet), "quiet")
	return err == nil && h.ReadsProfile()
}

// Segments returns the segments that a filter asks for by name.
func Segments(filter []byte) (ids []string) {
	var look func(v strictjson.Value)
	look = func(v strictjson.Value) {
		for name, member := range v.Members() {
			switch name {
			case "segment":
				for _, id := range member.Elements() {
					if text, ok := id.Text(); ok && !slices.Contains(ids, text) {
						ids = append(ids, text)
					}
				}
			case "$or":
				for _, alternative := range member.Elements() {
					look(alternative)
				}
			}
		}
	}
	if v, err := strictjson.Parse(filter); err == nil && v.Kind() == strictjson.Object {
		look(v)
	}
	return ids
}
