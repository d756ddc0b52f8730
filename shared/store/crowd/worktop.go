package crowd

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/postino/postino/shared/webhook"
)

// worktop is the state of a key while changes are made of it, one upon the
// other, before all are stored.
type worktop struct {
	read    map[webhook.StateRef]int64 // Rev
	items   map[webhook.StateRef]webhook.StateItem
	changed []webhook.StateRef // in the order of their last change
}

// changeTogether makes the changes of all members by one read and one write. Its
// error is of those: all must be made again, or none was. One that fails by
// itself takes no other member with it.
func (c *Crowds) changeTogether(ctx context.Context, together []*member) error {
	w, err := c.readState(ctx, together)
	if err != nil {
		return fmt.Errorf("read state: %w", err)
	}
	for _, m := range together {
		w.changeInOrder(m.changes)
	}
	if len(w.changed) == 0 {
		return nil
	}
	if err := c.store.SaveTriggerState(ctx, w.toSave()); err != nil {
		return fmt.Errorf("save state: %w", err)
	}
	return nil
}

// readState reads all parts that the changes are about.
func (c *Crowds) readState(ctx context.Context, together []*member) (*worktop, error) {
	w := &worktop{read: map[webhook.StateRef]int64{}, items: map[webhook.StateRef]webhook.StateItem{}}
	var refs []webhook.StateRef
	for _, m := range together {
		for _, one := range m.changes {
			for _, ref := range one.Refs {
				if _, known := w.read[ref]; !known {
					w.read[ref] = 0
					refs = append(refs, ref)
				}
			}
		}
	}
	items, err := c.store.TriggerState(ctx, refs)
	if err != nil {
		return nil, err
	}
	for i, ref := range refs {
		w.read[ref], w.items[ref] = items[i].Rev, items[i]
	}
	return w, nil
}

// ErrHeld reports that what comes before has failed.
var ErrHeld = errors.New("what comes before in the array has failed")

// changeInOrder makes changes until one fails, which holds the rest.
func (w *worktop) changeInOrder(changes []*Change) {
	var before error
	for _, c := range changes {
		if c.Err = ErrHeld; before == nil {
			c.Err = w.change(c)
			before = c.Err
		}
	}
}

func (w *worktop) change(c *Change) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	items := make([]webhook.StateItem, len(c.Refs))
	for i, ref := range c.Refs {
		items[i] = w.items[ref]
	}
	changes, err := c.Make(items)
	if err != nil {
		return err
	}
	for _, it := range changes {
		if i := slices.Index(w.changed, it.StateRef); i >= 0 {
			w.changed = slices.Delete(w.changed, i, i+1)
		}
		w.changed = append(w.changed, it.StateRef)
		it.Rev = w.read[it.StateRef] + 1 // as it will be stored
		w.items[it.StateRef] = it
	}
	return nil
}

// toSave are the parts that have changed, as of what was read.
func (w *worktop) toSave() []webhook.StateItem {
	items := make([]webhook.StateItem, len(w.changed))
	for i, ref := range w.changed {
		items[i] = w.items[ref]
		items[i].Rev = w.read[ref]
	}
	return items
}
