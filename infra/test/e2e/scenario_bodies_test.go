package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
)

var bodyScenarios = []scenario{
	{name: "bodies arrive byte for byte, at each attempt", play: bodiesArriveAsPublished},
	{name: "a failed attempt is recorded with its answer", play: failedAttemptsAreRecorded},
	{name: "a transport error is recorded by its class", play: transportErrorsAreRecorded},
}

func bodiesArriveAsPublished(s *scene) {
	s.subscribe("standard", `"retry":{"schedule":["1s"]}`)
	s.subscribe("own", `"request":{"body":{"hello":"{{ data.name }}","n":"{{ data.n }}"}}`)
	s.subscribe("raw", `"request":{"content_type":"text/plain","body":"{{ data.name }} & <{{ data.n }}>\n"}`)
	s.to.answer(map[string][]answer{"/standard": {{Status: 503}, {Status: 200}}})
	const data = "{ \"name\" :\t\"Zo\u00eb \U0001F600 </b>\",\n\"n\": 5, \"price\":1.10, \"big\":12345678901234567890, \"none\":[ ] }"
	s.publish("e1", data)
	s.came("standard", 1)
	s.advance(2e9)
	for _, c := range s.came("standard", 2) {
		if !strings.HasPrefix(c.body, `{"id":"e1",`) || !strings.HasSuffix(c.body, `,"data":`+data+`}`) {
			s.Errorf("body %q does not hold the data byte for byte", c.body)
		}
	}
	if why := sameBodies(s.came("standard", 2), 1); why != "" {
		s.Error(why)
	}
	for path, want := range map[string]string{"own": "{\"hello\":\"Zo\u00eb \U0001F600 </b>\",\"n\":5}", "raw": "Zo\u00eb \U0001F600 </b> & <5>\n"} {
		if got := s.came(path, 1)[0].body; got != want {
			s.Errorf("%s got %q, want %q", path, got, want)
		}
	}
}

func failedAttemptsAreRecorded(s *scene) {
	s.subscribe("s", `"retry":{"schedule":["1h"]}`)
	long := strings.Repeat("sorry ", 1000)
	s.to.answer(map[string][]answer{"/s": {{Status: 503, Headers: map[string]string{"x-why": "repair"}, Body: []byte(long)}}})
	s.publish("e1", `{}`)
	d := s.delivery("e1", "s", "status", "pending", "waiting", "retry")
	a := d.attempts()
	if len(a) != 1 || d.str("next_attempt_at") == "" || d.str("ended_at") != "" {
		s.Fatalf("delivery %s, want one attempt and the time of the next", d.text)
	}
	if a[0].str("error") != "status" || fmt.Sprint(a[0].json["status_code"]) != "503" || a[0].str("response", "headers", "x-why") != "repair" {
		s.Errorf("attempt %v, want 503 with its headers", a[0].json)
	}
	if got := a[0].str("response", "body"); got != long[:4096] {
		s.Errorf("%d bytes of the answer are kept, want its first 4096", len(got))
	}
}

func transportErrorsAreRecorded(s *scene) {
	plain := strings.TrimPrefix(s.to.URL, "http://")
	hangUp := s.server(func(c net.Conn) {
		bufio.NewReader(c).ReadString('\n')
		c.Close()
	})
	silent := s.server(func(c net.Conn) { io.Copy(io.Discard, c) })
	for class, url := range map[string]string{
		"connect": "http://127.0.0.1:1/", "tls": "https://" + plain + "/", "dns": "https://nowhere.invalid/", "reset": "http://" + hangUp + "/", "timeout": "http://" + silent + "/",
	} {
		s.must(201, "PUT", "/subscriptions/"+class, `{"url":"`+url+`","retry":{"schedule":[],"timeout":"1s"}}`)
	}
	s.publish("e1", `{}`)
	for _, class := range []string{"connect", "tls", "dns", "reset", "timeout"} {
		d := s.delivery("e1", class, "status", "exhausted")
		a := d.attempts()
		if len(a) != 1 || a[0].str("error") != class || a[0].json["status_code"] != nil || a[0].json["response"] != nil || a[0].str("detail") == "" {
			s.Errorf("delivery %s, want one attempt with error %s", d.text, class)
		}
	}
}

// server accepts connections until the scene ends, and returns its address.
func (s *scene) server(serve func(net.Conn)) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.Cleanup(func() { c.Close() })
			go serve(c)
		}
	}()
	return l.Addr().String()
}
