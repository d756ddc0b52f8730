package exports

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// columns are those that a CSV may have; url must be among them.
var columns = []string{"description", "id", "name", "rate_limit", "secret", "state", "types", "url"}

// readCSV reads a text whose first line names its columns.
func readCSV(export json.RawMessage) ([]Row, error) {
	var text string
	if json.Unmarshal(export, &text) != nil {
		return nil, errors.New("want a string with the lines of the CSV")
	}
	reader := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\uFEFF")))
	reader.FieldsPerRecord = -1
	names, err := reader.Read()
	if err != nil {
		return nil, errors.New("want a first line with the names of the columns, such as id,url,types,secret")
	}
	for i, name := range names {
		if names[i] = strings.TrimSpace(name); !slices.Contains(columns, names[i]) {
			return nil, fmt.Errorf("there is no column %q: want some of %s", names[i], strings.Join(columns, ", "))
		}
	}
	if !slices.Contains(names, "url") {
		return nil, errors.New("want a column url")
	}
	var rows []Row
	for {
		fields, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, fmt.Errorf("the row after row %d is no CSV: are its quotes in pairs?", len(rows))
		}
		rows = append(rows, csvRow(names, fields, len(rows)))
	}
}

func csvRow(names, fields []string, place int) Row {
	given := map[string]string{}
	for i, name := range names[:min(len(names), len(fields))] {
		given[name] = strings.TrimSpace(fields[i])
	}
	r := row("csv", given["id"], given["url"], place)
	if len(fields) != len(names) {
		r.Wrong = fmt.Sprintf("it has %d fields, and the first line %d", len(fields), len(names))
	}
	for _, field := range []string{"name", "description", "state"} {
		r.set(field, given[field], given[field] == "")
	}
	r.types(strings.FieldsFunc(given["types"], func(c rune) bool { return c == ' ' || c == ';' || c == ',' }))
	r.secret(given["secret"])
	if limit := given["rate_limit"]; limit != "" {
		n, err := strconv.Atoi(limit)
		if err != nil {
			r.Wrong = "rate_limit is not a whole number"
		}
		r.set("rate_limit", map[string]int{"per_second": n}, err != nil)
	}
	return r
}
