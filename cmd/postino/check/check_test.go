package check_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/cmd/postino/check"
	"github.com/postino/postino/cmd/postino/server"
	"github.com/postino/postino/cmd/postino/server/servertest"
)

const key = servertest.AdminKey

func start(t *testing.T) *server.Server {
	t.Helper()
	return servertest.Start(t, servertest.Quiet, func(c *server.Config) { c.SweepEvery, c.Version = time.Second, "1.2.3" })
}

// looked is what a check says of an installation.
func looked(t *testing.T, c check.Check) (string, error) {
	t.Helper()
	var out bytes.Buffer
	c.Out, c.Listen = &out, "127.0.0.1:0"
	if c.Wait == 0 {
		c.Wait = time.Minute
	}
	err := c.Run(t.Context())
	return out.String(), err
}

func TestAnInstallationThatWorksPassesEveryStep(t *testing.T) {
	s := start(t)
	said, err := looked(t, check.Check{Endpoint: s.URL() + "/", Key: key, Version: "1.2.3"})
	if err != nil || strings.Count(said, "ok ") != 9 {
		t.Errorf("%v:\n%s\nwant nine steps that pass", err, said)
	}
}

func TestAnInstallationThatCanReachNobodyPassesEveryStepByPulls(t *testing.T) {
	s := start(t)
	said, err := looked(t, check.Check{Endpoint: s.URL(), Key: key, Version: "1.2.3", Pull: true})
	if err != nil || strings.Count(said, "ok ") != 9 || !strings.Contains(said, "pulled, verified") {
		t.Errorf("%v:\n%s\nwant nine steps that pass, with a callback that is pulled and verified", err, said)
	}
}

func TestACheckThatCannotPullSaysWhereToLook(t *testing.T) {
	s := start(t)
	to := through(t, s.URL(), func(resp *http.Response) {
		if strings.HasSuffix(resp.Request.URL.Path, "/pull") {
			resp.StatusCode = http.StatusInternalServerError
		}
	})
	said, err := looked(t, check.Check{Endpoint: to, Key: key, Pull: true, Wait: 5 * time.Second})
	if err == nil || !strings.Contains(said, "see the log of manage") {
		t.Errorf("%v:\n%s\nwant that pulls fail, and where to look", err, said)
	}
}

func TestEachStepSaysWhatItCost(t *testing.T) {
	s := start(t)
	said, err := looked(t, check.Check{Endpoint: s.URL(), Key: key})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`ok +key .*\(1 request, 0 events, 0 callbacks\)`, `ok +callback .*\(\d+ requests, 1 event, 1 callback\)`,
		`ok +pull .*verified, .*acknowledged \(\d+ requests, 1 event, 0 callbacks\)`, `ok +trigger .*\(\d+ requests, 2 events, 1 callback\)`, `in all .* s  \d+ requests, 6 events, \d callbacks; .*bill of AWS`} {
		if !regexp.MustCompile(want).MatchString(said) {
			t.Errorf("it says\n%s\nwant a line like %s", said, want)
		}
	}
}

// A check finds what is planted between it and an installation that works.
func TestACheckSaysWhatIsWrong(t *testing.T) {
	s := start(t)
	for _, tt := range []struct {
		about  string
		check  check.Check
		change func(*http.Response)
		want   string
	}{
		{"a wrong key", check.Check{Key: "another-key-of-16-letters"}, nil, "The key is not the admin key"},
		{"another version", check.Check{Key: key, Version: "1.2.4"}, nil, "manage runs version 1.2.3, and this program is 1.2.4"},
		{"a clock", check.Check{Key: key}, func(r *http.Response) {
			r.Header.Set("Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat))
		}, "its clock differs from this machine's by -1h0m"},
		{"a queue that does not answer", check.Check{Key: key, Wait: time.Second}, func(r *http.Response) {
			r.Header.Del("Content-Length")
			r.ContentLength, r.StatusCode, r.Body = -1, 503, io.NopCloser(strings.NewReader(`{"code":"unavailable"}`))
		}, "a queue or the sealing key does not respond"},
	} {
		proxy := through(t, s.URL(), tt.change)
		if tt.check.Endpoint == "" {
			tt.check.Endpoint = proxy
		}
		if said, err := looked(t, tt.check); err == nil || !strings.Contains(said, tt.want) || strings.Contains(said, "recover") {
			t.Errorf("%s: %v:\n%s\nwant %q, and no step that makes no sense any more", tt.about, err, said, tt.want)
		}
	}
}

// through returns the address of a proxy that changes answers.
func through(t *testing.T, to string, change func(*http.Response)) string {
	t.Helper()
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ModifyResponse = func(r *http.Response) error {
		if change != nil {
			change(r)
		}
		return nil
	}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	return server.URL
}

func TestAPulledRequestThatWasChangedIsNotGenuine(t *testing.T) {
	proxy := through(t, start(t).URL(), func(r *http.Response) {
		if !strings.HasSuffix(r.Request.URL.Path, "/pull/pull") {
			return
		}
		text, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		r.Body = io.NopCloser(bytes.NewReader(bytes.ReplaceAll(text, []byte("check.pull"), []byte("check.pill"))))
	})
	said, err := looked(t, check.Check{Endpoint: proxy, Key: key})
	if want := regexp.MustCompile(`FAILED +pull .*a request is not genuine`); err == nil || !want.MatchString(said) || strings.Count(said, "ok ") != 8 {
		t.Errorf("%v:\n%s\nwant the step pull to fail, and no other", err, said)
	}
}
