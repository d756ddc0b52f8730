// Package inspect prints what local mode has stored, a line of JSON each, for
// people and for jq.
package inspect

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/postino/postino/shared/platform/local/engine"
	"github.com/postino/postino/shared/platform/local/localqueue"
	"github.com/postino/postino/shared/platform/local/localtable"
	"github.com/postino/postino/shared/store/record"
	"github.com/postino/postino/shared/store/table"
)

// line is what is printed of an item.
type line struct {
	Key     string    `json:"key"` // partition, "/", sort key
	Expires time.Time `json:"expires,omitzero"`
	Value   any       `json:"value"`
}

// queuePrefix is before the keys of waiting messages.
const queuePrefix = "queue"

// Run prints the items whose keys begin with prefix, then the messages in the
// queues, whose keys begin with "queue/" and the queue's name. It reads a copy,
// so a server may use the data meanwhile. Secrets are left out.
func Run(ctx context.Context, out io.Writer, data, prefix string) (err error) {
	dir, err := engine.CopyFolder(data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	db, err := engine.OpenCopy(data, filepath.Join(dir, "copy"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	buffered := bufio.NewWriter(out)
	defer func() { err = errors.Join(err, buffered.Flush()) }()
	p := printer{ctx, json.NewEncoder(buffered), prefix}
	p.encoder.SetEscapeHTML(false)
	if err := localtable.All(db, prefix, p.item); err != nil {
		return err
	}
	return localqueue.All(db, p.message)
}

type printer struct {
	ctx     context.Context
	encoder *json.Encoder
	prefix  string
}

func (p printer) item(it table.Item) error {
	value, err := record.Show(it)
	if err != nil {
		return fmt.Errorf("item %s/%s: %w", it.Partition, it.Sort, err)
	}
	return p.print(line{Key: it.Partition + "/" + it.Sort, Expires: it.Expires, Value: value})
}

func (p printer) message(m localqueue.Stored) error {
	key := queuePrefix + "/" + m.Queue + "/" + m.ID
	if !strings.HasPrefix(key, p.prefix) {
		return nil
	}
	return p.print(line{Key: key, Value: m})
}

func (p printer) print(l line) error {
	if err := p.ctx.Err(); err != nil {
		return err
	}
	return p.encoder.Encode(l)
}
