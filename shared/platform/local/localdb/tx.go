package localdb

import (
	"errors"
	"fmt"
	"strings"

	"zombiezen.com/go/sqlite"
)

// Tx is the transaction that the function given to [DB.Write] or [DB.Read]
// works in. It and its rows end with that function. Statements are prepared
// once per connection and text, so keep the texts few and constant.
type Tx struct {
	conn    *conn
	reading bool
	wrote   bool  // since the current call began
	broken  error // SQLite gave the whole transaction up
}

// Exec runs one INSERT, UPDATE or DELETE and returns how many rows it
// changed. Arguments may be nil, int, int64, bool, float64, string and []byte
// (nil is an empty blob); bytes are copied.
func (tx *Tx) Exec(sql string, args ...any) (changes int, err error) {
	if tx.reading {
		return 0, errors.New("localdb: Exec in a Read")
	}
	s, err := tx.prepare(sql, args)
	if err != nil {
		return 0, err
	}
	err = stepToEnd(s.stmt)
	if err == nil {
		changes = tx.conn.Changes()
	}
	tx.wrote = tx.wrote || changes > 0
	return changes, tx.finish(s, err)
}

// Query runs one statement and each for every row, until it returns an error,
// which is returned as it is. For arguments see Exec.
func (tx *Tx) Query(sql string, args []any, each func(row *Row) error) error {
	s, err := tx.prepare(sql, args)
	if err != nil {
		return err
	}
	for {
		more, err := s.stmt.Step()
		if err != nil || !more {
			return tx.finish(s, err)
		}
		tx.conn.rows++
		if err := each(&s.row); err != nil {
			_ = tx.finish(s, nil) // a statement that has returned rows resets
			return err
		}
	}
}

// finish makes the statement ready for its next use.
func (tx *Tx) finish(s *statement, err error) error {
	if reset := s.release(); err == nil {
		err = reset
	}
	if err == nil {
		return nil
	}
	err = fault(err)
	if !tx.reading && tx.conn.AutocommitEnabled() {
		tx.broken = err // a full disk, say: SQLite has rolled everything back
	}
	return err
}

// statement is a prepared statement.
type statement struct {
	stmt  *sqlite.Stmt
	row   Row
	inUse bool
	once  bool // finalized after use
}

// prepare returns the statement for sql with its arguments bound. One that is
// in use, by a Query further up, gets a second copy.
func (tx *Tx) prepare(sql string, args []any) (*statement, error) {
	if tx.broken != nil {
		return nil, tx.broken
	}
	s := tx.conn.prepared[sql]
	if s == nil || s.inUse {
		stmt, trailing, err := tx.conn.PrepareTransient(sql)
		if err != nil {
			return nil, fault(err)
		}
		if trailing > 0 && strings.TrimSpace(sql[len(sql)-trailing:]) != "" {
			return nil, errors.Join(fmt.Errorf("localdb: more than one statement in %q", sql), stmt.Finalize())
		}
		s = &statement{stmt: stmt, row: Row{stmt}, once: s != nil}
		if !s.once {
			tx.conn.prepared[sql] = s
		}
	}
	s.inUse = true
	if err := s.bind(args); err != nil {
		return nil, errors.Join(fmt.Errorf("localdb: %w in %q", err, sql), s.release())
	}
	return s, nil
}

// bind binds every argument; whatever does not fit is our mistake.
func (s *statement) bind(args []any) error {
	if want := s.stmt.BindParamCount(); len(args) != want {
		return fmt.Errorf("%d arguments, want %d", len(args), want)
	}
	for i, arg := range args {
		switch v := arg.(type) {
		case nil:
			s.stmt.BindNull(i + 1)
		case int64:
			s.stmt.BindInt64(i+1, v)
		case int:
			s.stmt.BindInt64(i+1, int64(v))
		case string:
			s.stmt.BindText(i+1, v)
		case []byte:
			s.stmt.BindBytes(i+1, v)
		case bool:
			s.stmt.BindBool(i+1, v)
		case float64:
			s.stmt.BindFloat(i+1, v)
		default:
			return fmt.Errorf("argument %d is a %T", i+1, arg)
		}
	}
	return nil
}

// release ends the statement's use.
func (s *statement) release() error {
	s.inUse = false
	if s.once {
		return s.stmt.Finalize()
	}
	return s.stmt.Reset()
}

// Row is the current row of a Query. Columns count from 0.
type Row struct{ stmt *sqlite.Stmt }

// Int64 returns an integer column; NULL is 0.
func (r *Row) Int64(column int) int64 { return r.stmt.ColumnInt64(column) }

// Float64 returns a column as a number; NULL is 0.
func (r *Row) Float64(column int) float64 { return r.stmt.ColumnFloat(column) }

// Text returns a text column; NULL is "".
func (r *Row) Text(column int) string { return r.stmt.ColumnText(column) }

// Bytes returns a copy of a blob column; NULL and an empty blob are nil.
func (r *Row) Bytes(column int) []byte {
	n := r.stmt.ColumnLen(column)
	if n == 0 {
		return nil
	}
	b := make([]byte, n)
	r.stmt.ColumnBytes(column, b)
	return b
}

// IsNull reports whether the column is NULL.
func (r *Row) IsNull(column int) bool { return r.stmt.ColumnIsNull(column) }

// read runs fn in a read transaction.
func (c *conn) read(fn func(tx *Tx) error) (err error) {
	if err := step(c.beginRead); err != nil {
		return fault(err)
	}
	defer func() {
		if end := step(c.commit); err == nil {
			err = fault(end)
		}
	}()
	c.tx = Tx{conn: c, reading: true}
	return fn(&c.tx)
}

func trimSpace(script string) string { return strings.TrimSpace(script) }
