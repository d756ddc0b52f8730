// Package stdlog sends what libraries print with package log to Postino's own
// log.
//
// net/http writes what a server sent that nobody asked for, and that may be a
// secret which the server got from us. So of a library's line only the place in
// its source is kept.
package stdlog

import (
	"context"
	"log"
	"log/slog"
	"path"
	"strings"
)

// Route has everything that is written with package log from now on go to a
// logger: the place of the call at level DEBUG, and from Lambda's own library,
// which speaks of our failures alone, the text at level ERROR.
func Route(to *slog.Logger) {
	log.SetPrefix("")
	log.SetFlags(log.Llongfile)
	log.SetOutput(writer{to})
}

// writer gets one line in each call: "/place/in/source.go:12: text".
type writer struct{ to *slog.Logger }

func (w writer) Write(line []byte) (int, error) {
	place, text, _ := strings.Cut(string(line), ": ")
	level, attributes := slog.LevelDebug, []slog.Attr{slog.String("place", short(place))}
	if strings.Contains(place, "/aws-lambda-go") {
		level, attributes = slog.LevelError, append(attributes, slog.String("error", strings.TrimSpace(text)))
	}
	w.to.LogAttrs(context.Background(), level, "a library logged", attributes...)
	return len(line), nil
}

// short keeps the folder and the file of a place.
func short(place string) string { return path.Join(path.Base(path.Dir(place)), path.Base(place)) }
