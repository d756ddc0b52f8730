package record

import (
	"bytes"
	"compress/flate"
	"io"
	"sync"
)

// maxOutcomes is more than the outcomes of any group take.
const maxOutcomes = 4 << 20

// outcomesDict is what the outcomes of a group begin with often.
const outcomesDict = `{"headers":{"connection":"keep-alive","content-length":"0","content-type":"text/plain; charset=utf-8","content-type":"application/json",` +
	`"date":"Mon, 30 Nov 2026 12:00:00 GMT","server":"nginx"},"body":"{\"ok\":true}"}},{"i":"dlv_0","o":true},{"i":"dlv_0","e":"evt_0","s":"/tenants/","u":"sub_0","v":1,` +
	`"d":"","a":10,"z":10,"t":10,"c":204,"c":202,"c":200,"r":{"headers":{"content-length":"0","date":"`

var outcomesPackers = sync.Pool{New: func() any {
	w, _ := flate.NewWriterDict(io.Discard, flate.BestCompression, []byte(outcomesDict)) // the level is one
	return w
}}

func packOutcomes(b []byte) []byte {
	var out bytes.Buffer
	w := outcomesPackers.Get().(*flate.Writer)
	defer outcomesPackers.Put(w)
	w.Reset(&out) // keeps the dictionary
	_, _ = w.Write(b)
	_ = w.Close()
	return out.Bytes()
}

func unpackOutcomes(b []byte) ([]byte, error) {
	out, err := io.ReadAll(io.LimitReader(flate.NewReaderDict(bytes.NewReader(b), []byte(outcomesDict)), maxOutcomes+1))
	if len(out) > maxOutcomes {
		return nil, errBulk
	}
	return out, err
}
