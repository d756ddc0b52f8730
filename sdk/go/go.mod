module github.com/postino/postino/sdk/go

go 1.24
