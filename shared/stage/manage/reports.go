package manage

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/webhook"
)

// The bounds of what is said of one delivery.
const (
	maxSaidHeaders = 100
	maxSaidDetail  = 256 // bytes
	maxSaidTook    = 15 * time.Minute
)

// unanswered are the errors that a nack may name: why there was no answer.
var unanswered = []string{
	string(webhook.ErrorConnect), string(webhook.ErrorDNS), string(webhook.ErrorReset), string(webhook.ErrorTimeout), string(webhook.ErrorTLS),
}

// readReports reads {"deliveries":[{"id","lease",["response","duration_ms"]}]},
// of a nack also "error", "detail" and "retry_after". Given reports whether there
// is a list at all.
func readReports(body strictjson.Value, failed bool) (reports []webhook.Report, given bool, err error) {
	var faults httpapi.Faults
	if body.Kind() != strictjson.Object {
		faults.Add("body", "want an object")
	}
	var list strictjson.Value
	for name, v := range body.Members() {
		if name != "deliveries" {
			faults.Unknown("", name, []string{"deliveries"})
			continue
		}
		list = v
	}
	if faults.Any() || list == nil {
		return nil, false, faults.Err()
	}
	if n := list.Len(webhook.MaxReported); list.Kind() != strictjson.Array || n == 0 || n > webhook.MaxReported {
		return nil, true, noReports()
	}
	seen := map[string]bool{}
	for i, v := range list.Elements() {
		said := reading{path: fmt.Sprintf("deliveries[%d]", i), faults: &faults}
		report := said.report(v, failed)
		if report.Lease != "" && seen[report.Lease] {
			faults.Add(said.path+".lease", "is there twice")
		}
		seen[report.Lease] = true
		reports = append(reports, report)
	}
	return reports, true, faults.Err()
}

func noReports() error {
	var faults httpapi.Faults
	faults.Add("deliveries", "want a list of 1 to %d deliveries, each with id and lease as they were pulled", webhook.MaxReported)
	return faults.Err()
}

// reading reads what is said of one delivery.
type reading struct {
	path   string
	faults *httpapi.Faults
}

func (d reading) report(v strictjson.Value, failed bool) (report webhook.Report) {
	report.Failed = failed
	if v.Kind() != strictjson.Object {
		d.faults.Add(d.path, "want an object")
		return report
	}
	names := []string{"duration_ms", "id", "lease", "response"}
	if failed {
		names = append(names, "detail", "error", "retry_after")
	}
	for name, v := range v.Members() {
		at := d.path + "." + name
		if !slices.Contains(names, name) {
			d.faults.Unknown(d.path, name, names)
			continue
		}
		switch name {
		case "id":
			report.Delivery = d.text(at, v, 200)
		case "lease":
			report.Lease = d.text(at, v, 200)
		case "response":
			d.response(at, v, &report)
		case "duration_ms":
			n, ok := v.Int()
			if report.Took = time.Duration(n) * time.Millisecond; !ok || n < 0 || n > maxSaidTook.Milliseconds() {
				d.faults.Add(at, "want 0 to %d", maxSaidTook.Milliseconds())
			}
		case "error":
			text, _ := v.Text()
			if report.Error = webhook.ErrorClass(text); !slices.Contains(unanswered, text) {
				d.faults.Add(at, `want "%s"`, strings.Join(unanswered, `" or "`))
			}
		case "detail":
			report.Detail = d.text(at, v, maxSaidDetail)
		case "retry_after":
			report.RetryAfter = readSpan(at, v, time.Second, 24*time.Hour, d.faults)
		}
	}
	for name, text := range map[string]string{"id": report.Delivery, "lease": report.Lease} {
		if text == "" && !d.faults.Any() {
			d.faults.Add(d.path+"."+name, "required, as it was pulled")
		}
	}
	if report.Error != "" && report.Status != 0 {
		d.faults.Add(d.path+".error", "says that there was no answer, and response is one: leave one out")
	}
	return report
}

func (d reading) text(path string, v strictjson.Value, most int) string {
	s, ok := v.Text()
	if !ok || len(s) > most {
		d.faults.Add(path, "want a string of at most %d bytes", most)
	}
	return s
}

// response reads {"status",["headers","body"]}.
func (d reading) response(path string, v strictjson.Value, report *webhook.Report) {
	if v.Kind() != strictjson.Object {
		d.faults.Add(path, "want an object")
		return
	}
	for name, v := range v.Members() {
		at := path + "." + name
		switch name {
		case "status":
			n, ok := v.Int()
			if report.Status = int(n); !ok || n < 100 || n > 599 {
				d.faults.Add(at, "want a status from 100 to 599")
			}
		case "headers":
			report.Headers = d.headers(at, v)
		case "body":
			report.Body = d.text(at, v, webhook.MaxSaid)
		default:
			d.faults.Unknown(path, name, []string{"body", "headers", "status"})
		}
	}
	if report.Status == 0 && !d.faults.Any() {
		d.faults.Add(path+".status", "required")
	}
}

func (d reading) headers(path string, v strictjson.Value) map[string]string {
	headers, size := map[string]string{}, 0
	if v.Kind() != strictjson.Object {
		d.faults.Add(path, "want an object of strings")
		return nil
	}
	for name, v := range v.Members() {
		value, ok := v.Text()
		if !ok || name == "" || http.CanonicalHeaderKey(name) == name && strings.ContainsAny(name, " \r\n\x00") {
			d.faults.Add(path, "want the name of a header, and a string for each")
			return nil
		}
		headers[name] = value
		if size += len(name) + len(value); size > webhook.MaxSaid || len(headers) > maxSaidHeaders {
			d.faults.Add(path, "want at most %d headers of at most %d bytes in all", maxSaidHeaders, webhook.MaxSaid)
			return nil
		}
	}
	return headers
}
