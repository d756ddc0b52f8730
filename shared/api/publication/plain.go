package publication

import (
	"encoding/json"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/language/attribute"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/webhook"
)

var plainFields = []string{"type", "data", "id", "source", "subject", "time", "history"}

// plain reads {"type","data",["id","source","subject","time"]}. Data is any
// JSON value, null too, but it must be there: an event without it is more
// often a misspelt field than meant.
func (d *decoder) plain(v strictjson.Value, faults *httpapi.Faults) webhook.Event {
	var e webhook.Event
	typed, historic := false, false
	for name, member := range v.Members() {
		switch name {
		case "type":
			typed = true
			e.Type = text(name, member, attribute.Type, faults)
		case "data":
			e.Data = json.RawMessage(member)
		case "id":
			e.ID = text(name, member, attribute.ID, faults)
		case "source":
			e.Source = text(name, member, attribute.Source, faults)
		case "subject":
			e.Subject = text(name, member, attribute.Subject, faults)
		case "time":
			d.time(name, member, &e, faults)
		case "history":
			e.History, historic = historyOf(name, member, faults), true
		default:
			faults.Unknown("", name, plainFields)
		}
	}
	if !historic {
		e.History = d.history
	}
	if !typed {
		faults.Add("type", "required")
	}
	if e.Data == nil {
		faults.Add("data", "required")
	}
	return e
}

// text reads a string and checks it.
func text(name string, v strictjson.Value, check func(string) string, faults *httpapi.Faults) string {
	s, ok := v.Text()
	if !ok {
		faults.Add(name, "want a string")
		return ""
	}
	if wrong := check(s); wrong != "" {
		faults.Add(name, "%s", wrong)
	}
	return s
}

// time reads the event's time.
func (d *decoder) time(name string, v strictjson.Value, e *webhook.Event, faults *httpapi.Faults) {
	s, ok := v.Text()
	if !ok {
		faults.Add(name, "want a string")
		return
	}
	t, wrong := attribute.Time(s, d.now)
	if wrong != "" {
		faults.Add(name, "%s", wrong)
	}
	e.Time = t
}
