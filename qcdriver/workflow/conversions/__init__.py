"""What measured conversions of one isomer into another say of the free barrier, beside the barriers that were computed.

bounds    what was there after a time -> the least and the greatest free barrier, by Eyring: pure mathematics
barriers  a run -> the barriers between two isomers that it has computed
findings  the types of what is found
measured  the conversions of [experiment], and these barriers -> what stands beside what
"""
