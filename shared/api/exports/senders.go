package exports

import "encoding/json"

// svix is an endpoint as Svix lists it, with what its routes /secret and /headers
// return.
type svix struct {
	ID, UID, URL, Description string
	FilterTypes               []string
	Channels                  []string
	Disabled                  bool
	RateLimit                 int
	Metadata                  map[string]string
	Secret                    string
	Headers                   map[string]string
}

func readSvix(export json.RawMessage) ([]Row, error) {
	list, err := listIn[svix](export, "data")
	rows := make([]Row, len(list))
	for i, e := range list {
		foreign := e.UID
		if foreign == "" {
			foreign = e.ID
		}
		r := row("svix", foreign, e.URL, i)
		r.set("description", e.Description, e.Description == "")
		r.set("metadata", e.Metadata, len(e.Metadata) == 0)
		r.set("rate_limit", map[string]int{"per_second": e.RateLimit}, e.RateLimit == 0)
		r.set("state", "paused", !e.Disabled)
		r.types(e.FilterTypes)
		r.secret(e.Secret)
		r.signs(map[string]any{"preset": "svix"}, e.Secret)
		r.headers(e.Headers)
		if len(e.Channels) > 0 {
			r.Lost = append(r.Lost, "channels")
		}
		rows[i] = r
	}
	return rows, err
}

// outpost is a destination as Outpost lists it.
type outpost struct {
	ID, Type string
	Topics   json.RawMessage // "*" or a list
	Config   struct {
		URL           string
		CustomHeaders string `json:"custom_headers"` // an object as a text
	}
	Credentials struct {
		Secret         string
		PreviousSecret string `json:"previous_secret"`
	}
	Filter     map[string]any
	Metadata   map[string]string
	DisabledAt *string `json:"disabled_at"`
}

func readOutpost(export json.RawMessage) ([]Row, error) {
	list, err := listIn[outpost](export, "models")
	rows := make([]Row, len(list))
	for i, e := range list {
		r := row("outpost", e.ID, e.Config.URL, i)
		if e.Type != "webhook" {
			r.Wrong = "its type is " + e.Type + ", and only webhook can be imported"
		}
		r.set("metadata", e.Metadata, len(e.Metadata) == 0)
		r.set("state", "paused", e.DisabledAt == nil)
		var topics []string
		if len(e.Topics) > 0 && e.Topics[0] == '[' && json.Unmarshal(e.Topics, &topics) != nil {
			r.Wrong = "topics is not a list of strings"
		}
		r.types(topics)
		r.secret(e.Credentials.Secret)
		if _, raw := r.Subscription["secret"].(map[string]string); raw { // in its other mode it signs as Standard Webhooks
			r.signs(map[string]any{"header": "x-outpost-signature", "text": "{{ body }}", "prefix": "v0="}, e.Credentials.Secret)
		}
		if e.Config.CustomHeaders != "" {
			var headers map[string]string
			if json.Unmarshal([]byte(e.Config.CustomHeaders), &headers) != nil {
				r.Wrong = "config.custom_headers is not an object of strings"
			}
			r.headers(headers)
		}
		if e.Credentials.PreviousSecret != "" {
			r.Lost = append(r.Lost, "credentials.previous_secret")
		}
		if len(e.Filter) > 0 {
			r.Wrong = "it has a filter, which would have to be written anew"
		}
		rows[i] = r
	}
	return rows, err
}

// convoy is a subscription as Convoy lists it, with its endpoint.
type convoy struct {
	UID, Name string
	Endpoint  struct {
		UID, Name, URL, Status string
		Description            string
		AdvancedSignatures     bool `json:"advanced_signatures"`
		Secrets                []struct {
			Value     string
			ExpiresAt *string `json:"expires_at"`
		}
	} `json:"endpoint_metadata"`
	Filter struct {
		EventTypes []string `json:"event_types"`
		Filter     struct{ Headers, Body map[string]any }
	} `json:"filter_config"`
}

func readConvoy(export json.RawMessage) ([]Row, error) {
	list, err := listIn[convoy](export, "data", "content")
	rows := make([]Row, len(list))
	for i, e := range list {
		r := row("convoy", e.UID, e.Endpoint.URL, i)
		r.set("name", e.Name, e.Name == "")
		r.set("description", e.Endpoint.Description, e.Endpoint.Description == "")
		r.set("state", "paused", e.Endpoint.Status == "" || e.Endpoint.Status == "active")
		r.types(e.Filter.EventTypes)
		for _, s := range e.Endpoint.Secrets {
			if s.ExpiresAt == nil {
				r.secret(s.Value)
				r.signs(convoySigns(e.Endpoint.AdvancedSignatures), s.Value)
			}
		}
		if len(e.Filter.Filter.Headers)+len(e.Filter.Filter.Body) > 0 {
			r.Wrong = "it has a filter, which would have to be written anew"
		}
		rows[i] = r
	}
	return rows, err
}

// convoySigns is how Convoy signs, simply or with the time.
func convoySigns(advanced bool) map[string]any {
	if advanced {
		return map[string]any{"header": "X-Convoy-Signature", "text": "{{ timestamp }},{{ body }}", "prefix": "t={{ timestamp }},v1="}
	}
	return map[string]any{"header": "X-Convoy-Signature", "text": "{{ body }}"}
}
