SELECT count(*) FROM recent WHERE user_id = 1
