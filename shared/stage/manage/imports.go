package manage

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/postino/postino/shared/api/exports"
	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/api/subscription"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/webhook"
)

// maxImported is the most rows of one request: each is a transaction.
const maxImported = 200

// importedView says what became of a row.
type importedView struct {
	Row    int                  `json:"row"` // from 1
	Source *string              `json:"source"`
	ID     *string              `json:"id"`
	Result string               `json:"result"`
	Lost   []string             `json:"lost"`
	Errors []httpapi.FieldError `json:"errors"`
}

// What becomes of a row.
const (
	rowCreated = "created"
	rowExists  = "exists"
	rowRefused = "refused"
)

// bring makes subscriptions of another sender's export: of each row for itself, so
// that those which are wrong stop no others. A row whose subscription exists is
// left alone: so a repeat makes the rest.
func (h *subscriptions) bring(r *httpapi.Request) (httpapi.Response, error) {
	body, err := r.JSON()
	if err != nil {
		return httpapi.Response{}, err
	}
	rows, err := readImport(body)
	if err != nil {
		return httpapi.Response{}, err
	}
	views, counts := make([]importedView, len(rows)), map[string]int{rowCreated: 0, rowExists: 0, rowRefused: 0}
	for i, row := range rows {
		if views[i], err = h.bringOne(r, i+1, row); err != nil {
			return httpapi.Response{}, err
		}
		counts[views[i].Result]++
	}
	r.Note(slog.Int("created", counts[rowCreated]), slog.Int("exists", counts[rowExists]), slog.Int("refused", counts[rowRefused]))
	return httpapi.OK(map[string]any{
		rowCreated: counts[rowCreated], rowExists: counts[rowExists], rowRefused: counts[rowRefused], "rows": views,
	}), nil
}

// bringOne makes the subscription of a row. What is wrong with it is its result;
// the error is what stops all of them.
func (h *subscriptions) bringOne(r *httpapi.Request, place int, row exports.Row) (importedView, error) {
	view := importedView{Row: place, Source: orNull(row.Source), ID: &row.ID, Result: rowCreated, Lost: slices.Clip(append([]string{}, row.Lost...)), Errors: []httpapi.FieldError{}}
	if row.Wrong != "" {
		return refusedRow(view, httpapi.FieldError{Field: "row", Detail: row.Wrong}), nil
	}
	wish, err := subscription.Read(httpapi.Encode(row.Subscription), subscription.Default(), h.Destinations)
	if err == nil {
		wish.ID = row.ID
		_, err = h.create(r, wish)
	}
	var problem *httpapi.Problem
	switch {
	case errors.Is(err, webhook.ErrExists):
		view.Result = rowExists
	case errors.As(err, &problem) && problem.Status < 500 && problem.Status != 429:
		if len(problem.Errors) == 0 {
			problem.Errors = []httpapi.FieldError{{Field: "row", Detail: problem.Code + ": " + problem.Detail}}
		}
		view = refusedRow(view, problem.Errors...)
	case err != nil:
		return view, fmt.Errorf("import row %d: %w", place, err)
	}
	return view, nil
}

func refusedRow(view importedView, wrong ...httpapi.FieldError) importedView {
	view.Result, view.ID, view.Errors = rowRefused, nil, wrong
	return view
}

// readImport reads {"format","export"}.
func readImport(body strictjson.Value) ([]exports.Row, error) {
	var faults httpapi.Faults
	var format string
	var export strictjson.Value
	if body.Kind() != strictjson.Object {
		faults.Add("body", "want an object")
	}
	for name, v := range body.Members() {
		switch name {
		case "format":
			if format, _ = v.Text(); !slices.Contains(exports.Formats(), format) {
				faults.Add(name, `want "%s"`, strings.Join(exports.Formats(), `" or "`))
			}
		case "export":
			export = v
		default:
			faults.Unknown("", name, []string{"export", "format"})
		}
	}
	switch {
	case faults.Any():
		return nil, faults.Err()
	case format == "":
		faults.Add("format", `required: "%s"`, strings.Join(exports.Formats(), `" or "`))
		return nil, faults.Err()
	}
	rows, err := exports.Read(format, json.RawMessage(export))
	switch {
	case err != nil:
		faults.Add("export", "%s", err)
	case len(rows) == 0 || len(rows) > maxImported:
		faults.Add("export", "has %d rows, want 1 to %d", len(rows), maxImported)
	}
	return rows, faults.Err()
}
