//! `row!`: a struct that is read from the columns of a row, on either database.

/// Declares a struct whose fields are read from the columns of their names. After them may stand
/// parts, each written `..part: Type`: structs of the same kind, read from the same row.
///
/// sqlx's derive does the same, but builds sqlx and SQLite a second time, for the compiler.
macro_rules! row {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $($field_vis:vis $field:ident: $type:ty,)*
            $(..$part:ident: $part_type:ty,)*
        }
    ) => {
        $(#[$meta])*
        $vis struct $name {
            $($field_vis $field: $type,)*
            $($part: $part_type,)*
        }

        impl $crate::store::query::FromSqlite for $name {
            fn from_sqlite(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
                Ok(Self {
                    $($field: row.get(stringify!($field))?,)*
                    $($part: $crate::store::query::FromSqlite::from_sqlite(row)?,)*
                })
            }
        }

        impl<'r, R: sqlx::Row> sqlx::FromRow<'r, R> for $name
        where
            &'static str: sqlx::ColumnIndex<R>,
            $($type: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,)*
            $($part_type: sqlx::FromRow<'r, R>,)*
        {
            fn from_row(row: &'r R) -> sqlx::Result<Self> {
                Ok(Self {
                    $($field: row.try_get(stringify!($field))?,)*
                    $($part: <$part_type as sqlx::FromRow<'r, R>>::from_row(row)?,)*
                })
            }
        }
    };
}
