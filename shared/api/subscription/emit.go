package subscription

import (
	"encoding/json"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/language/attribute"
	"github.com/postino/postino/shared/language/pattern"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/webhook"
)

// maxEmit bounds what an emit is written with, in bytes.
const maxEmit = 64 << 10

// readEmit reads {"on","type",["data","subject"]}; what its templates say is judged
// with the url and the request.
func readEmit(d *draft, v strictjson.Value) {
	e := webhook.Emit{}
	d.object("emit", v, map[string]func(string, strictjson.Value){
		"on": func(path string, v strictjson.Value) {
			e.On = d.oneOf(path, v, []string{webhook.EmitOnSuccess, webhook.EmitOnFire})
		},
		"type":    func(path string, v strictjson.Value) { e.Type = d.text(path, v) },
		"data":    func(_ string, v strictjson.Value) { e.Data = json.RawMessage(v.Compact()) },
		"subject": func(path string, v strictjson.Value) { e.Subject = d.text(path, v) },
	})
	if v.Kind() != strictjson.Object {
		return
	}
	if e.On == "" && !d.faults.Any() {
		d.faults.Add("emit.on", `required: "success" of the callback, or "fire" of the trigger`)
	}
	switch wrong := attribute.Type(e.Type); {
	case e.Type == "":
		d.faults.Add("emit.type", "required: the type of the event")
	case wrong != "":
		d.faults.Add("emit.type", "%s", wrong)
	}
	if len(e.Data)+len(e.Subject) > maxEmit {
		d.faults.Add("emit", "want at most %d bytes", maxEmit)
	}
	d.Subscription.Emit = &e
}

func viewEmit(s webhook.Subscription) any {
	if s.Emit == nil {
		return absent
	}
	return s.Emit
}

// emitting checks an emit in the finished subscription.
func emitting(s webhook.Subscription, faults *httpapi.Faults) {
	switch {
	case s.Emit == nil:
		return
	case !s.Calls() && s.Emit.On == webhook.EmitOnSuccess:
		faults.Add("emit.on", `without a url there is no callback that could succeed: want "fire"`)
	case !s.Calls() && s.Request != nil:
		faults.Add("request", "needs a url")
	case !s.Calls() && s.Auth != nil:
		faults.Add("auth", "needs a url")
	}
	if s.Filter == nil && s.Trigger == nil && pattern.TypesMatch(s.Types, s.Emit.Type) {
		faults.Add("emit.type", "is among the types that the subscription gets: it would make events of its own events without end. Give it types, a filter or a trigger that leave its own events out")
	}
}
