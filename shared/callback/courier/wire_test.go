package courier

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/shared/callback/render"
	"github.com/postino/postino/shared/callback/signature"
	"github.com/postino/postino/shared/webhook"
)

// wire is a request as its receiver saw it, byte for byte.
type wire struct {
	line string // the request line
	head string // the headers, a line each
	body string
}

// header returns the value of a header, as its bytes are.
func (w wire) header(name string) string {
	for line := range strings.SplitSeq(w.head, "\r\n") {
		if n, value, _ := strings.Cut(line, ": "); strings.EqualFold(n, name) {
			return value
		}
	}
	return ""
}

// sent renders a subscription's request for an event, and returns what a
// receiver saw of it. The path of the url is given, its host is the receiver's.
func sent(t *testing.T, e webhook.Event, path string, spec *webhook.RequestSpec) wire {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	seen := make(chan wire, 1)
	go func() { seen <- receive(listener) }()
	secret, err := signature.Generate(signature.V1)
	if err != nil {
		t.Fatal(err)
	}
	s := webhook.Subscription{
		Tenant: "acme", ID: "s", URL: "http://" + listener.Addr().String() + path, Request: spec, Retry: webhook.RetrySpec{Timeout: "5s"},
		Secrets: []webhook.SigningSecret{{Scheme: "v1", Sealed: []byte(secret)}},
	}
	r, faults := render.Compile(s)
	if len(faults) > 0 {
		t.Fatalf("%s: %v", path, faults)
	}
	target, content, err := r.Render(render.NewEvent(e), s, render.Occasion{Delivery: "dlv_1"})
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	a, err := poster(t, "127.0.0.0/8").Test(t.Context(), s, webhook.Trial{Delivery: "dlv_1", Event: e.ID, Target: target, Content: content})
	if err != nil || a.StatusCode != http.StatusNoContent {
		t.Fatalf("%s: attempt %+v, %v, want 204", path, a, err)
	}
	return <-seen
}

// receive reads one request and answers 204.
func receive(listener net.Listener) (w wire) {
	conn, err := listener.Accept()
	if err != nil {
		return w
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute)) // a guard against hanging
	in := bufio.NewReader(conn)
	w.line, _ = in.ReadString('\n')
	w.line = strings.TrimSuffix(w.line, "\r\n")
	for line := ""; line != "\r\n" && err == nil; {
		line, err = in.ReadString('\n')
		w.head += line
	}
	n, _ := strconv.Atoi(w.header("Content-Length"))
	body, _ := io.ReadAll(io.LimitReader(in, int64(n)))
	w.body = string(body)
	io.WriteString(conn, "HTTP/1.1 204 No Content\r\n\r\n")
	return w
}

func TestTheReceiverSeesTheURLThatWasJudged(t *testing.T) {
	// Every character that may stand in a literal part, beside those of an escape.
	const literal = "!$&'()*+,;=:@[]-._~/aZ09%2F%2f%C3%A9%25"
	e := webhook.Event{ID: "evt_1", Subject: "bob/admin?x#y", Data: []byte(`{"all":"/?#[]@!$&'()*+,;= \"<>\\^` + "`" + `{|}%éß\u0001"}`)}
	const subject, all = "bob%2Fadmin%3Fx%23y", "%2F%3F%23%5B%5D@%21$&%27%28%29%2A+%2C%3B=%20%22%3C%3E%5C%5E%60%7B%7C%7D%25%C3%A9%C3%9F%01"
	const query = "%2F%3F%23%5B%5D%40%21%24%26%27%28%29%2A%2B%2C%3B%3D%20%22%3C%3E%5C%5E%60%7B%7C%7D%25%C3%A9%C3%9F%01"
	for _, tt := range []struct{ path, want string }{
		{"/users/{{ subject }}/caf%C3%A9", "/users/" + subject + "/caf%C3%A9"},
		{"/a%2Fb/{{ subject }}/%C3%A9", "/a%2Fb/" + subject + "/%C3%A9"},
		{"/" + literal + "/{{ subject }}?" + literal + "?", "/" + literal + "/" + subject + "?" + literal + "?"},
		{"/" + literal + "?" + literal + "?", "/" + literal + "?" + literal + "?"},
		{"/x{{ data.all }}?q={{ data.all }}", "/x" + all + "?q=" + query},
		{"//a//{{ subject }}//?", "//a//" + subject + "//?"},
		{"?q={{ subject }}", "/?q=" + subject},
	} {
		got := sent(t, e, tt.path, nil)
		if want := "POST " + tt.want + " HTTP/1.1"; got.line != want {
			t.Errorf("%s: the receiver saw\n %s, want\n %s", tt.path, got.line, want)
		}
	}
}

func TestTheReceiverSeesHeadersOfASCII(t *testing.T) {
	e := webhook.Event{ID: "bestellung é/100% \"日\"", Data: []byte(`{"name":"Zoë ß"}`)}
	got := sent(t, e, "/", &webhook.RequestSpec{
		Headers: map[string]string{"x-name": "{{ data.name }}!", "idempotency-key": "{{ event.id }}"},
		Body:    []byte(`"x"`), ContentType: "text/plain; charset=utf-8",
	})
	for name, want := range map[string]string{
		"Postino-Event-Id": "bestellung%20%C3%A9/100%25%20%22%E6%97%A5%22",
		"X-Name":           "Zo%C3%AB %C3%9F!",
		"Idempotency-Key":  "bestellung %C3%A9/100% \"%E6%97%A5\"",
		"Content-Type":     "text/plain; charset=utf-8",
	} {
		if got.header(name) != want {
			t.Errorf("%s = %q, want %q", name, got.header(name), want)
		}
	}
	if strings.ContainsFunc(got.head, func(r rune) bool { return r > '~' }) {
		t.Errorf("the receiver saw %q, want ASCII", got.head)
	}
}

func TestTheReceiverOfAFormSeesArraysAndObjectsAsJSON(t *testing.T) {
	e := webhook.Event{ID: "evt_1", Data: []byte(`{"ids":["a","b"],"o":{"k":1},"none":null,"n":1.50,"empty":[]}`)}
	const form = "application/x-www-form-urlencoded"
	for _, tt := range []struct{ body, want string }{
		{`{"ids":"{{ data.ids }}"}`, "ids=%5B%22a%22%2C%22b%22%5D"},
		{`{"o":"{{ data.o }}"}`, "o=%7B%22k%22%3A1%7D"},
		{`{"e":"{{ data.empty }}","n":"{{ data.n }}","none":"{{ data.none }}","text":"o is {{ data.o }}"}`, "e=%5B%5D&n=1.50&text=o+is+%7B%22k%22%3A1%7D"},
		{`{"ids":["{{ data.ids[0] }}","{{ data.ids[1] }}","{{ data.ids }}"]}`, "ids=a&ids=b&ids=%5B%22a%22%2C%22b%22%5D"},
		{`"ids={{ data.ids | url_encode }}&o={{ data.o | url_encode }}"`, "ids=%5B%22a%22%2C%22b%22%5D&o=%7B%22k%22%3A1%7D"},
		{`"x=1{% for id in data.ids %}&ids={{ id | url_encode }}{% endfor %}"`, "x=1&ids=a&ids=b"},
	} {
		if got := sent(t, e, "/", &webhook.RequestSpec{ContentType: form, Body: []byte(tt.body)}); got.body != tt.want {
			t.Errorf("%s: the receiver saw %s, want %s", tt.body, got.body, tt.want)
		}
	}
	got := sent(t, e, "/{{ data.o }}?q={{ data.o }}", &webhook.RequestSpec{
		Headers: map[string]string{"x-o": "{{ data.o }}"}, ContentType: "text/plain", Body: []byte(`"{{ data.o }} {{ data.ids | join: ',' }}"`)})
	const encoded = "%7B%22k%22:1%7D"
	if got.line != "POST /"+encoded+"?q=%7B%22k%22%3A1%7D HTTP/1.1" || got.header("x-o") != `{"k":1}` || got.body != `{"k":1} a,b` {
		t.Errorf("the receiver saw %s, %s, %s, want the object as JSON", got.line, got.header("x-o"), got.body)
	}
}

func TestTheReceiverSeesTheTypeOfACloudEventsData(t *testing.T) {
	e := webhook.Event{ID: "1", Source: "/s", Type: "t", Time: time.Unix(0, 0), Data: []byte(`{"a": 1}`), Extensions: []byte(`{"datacontenttype":"application/vnd.acme+json","x":"y"}`)}
	got := sent(t, e, "/", &webhook.RequestSpec{Format: "cloudevents"})
	if !strings.HasSuffix(got.body, `,"datacontenttype":"application/vnd.acme+json","x":"y","data":{"a": 1}}`) {
		t.Errorf("the receiver saw %s, want the type that was published, once", got.body)
	}
}

func TestTheReceiverSeesTextThatItCanRead(t *testing.T) {
	e := webhook.Event{ID: "evt_1", Data: []byte(`{"x":"\"},{\"","none":null,"ids":["a","b"],"o":{"k":[1,null,"é"]}}`)}
	for _, tt := range []struct{ contentType, body, want string }{
		{"application/json", `"{\"a\":\"{{ data.x | json }}\",\"b\":1}"`, `{"a":"\"\\\"},{\\\"\"","b":1}`},
		{"text/json", `"{\"a\":\"{{ data.x }}\",\"b\":{{ data.o | json }}}"`, `{"a":"\"},{\"","b":{"k":[1,null,"é"]}}`},
		{"text/xml", `"<a>{{ data.x | escape }}</a>"`, `<a>&quot;},{&quot;</a>`},
	} {
		got := sent(t, e, "/", &webhook.RequestSpec{ContentType: tt.contentType, Body: []byte(tt.body)})
		if got.body != tt.want || got.header("Content-Type") != tt.contentType {
			t.Errorf("%s as %s: the receiver saw %s as %s, want %s", tt.body, tt.contentType, got.body, got.header("Content-Type"), tt.want)
		}
	}
}
